//! How the pieces of an object become its parts. A part has at least 5 MiB unless it is the last one, so what is too short
//! to be copied is sent together with what is beside it.

use crate::Piece;
use faafo_model::BlobKey;
use std::ops::Range;

/// The least bytes of a part, and the most parts of an object.
const LEAST: u64 = 5 << 20;
pub(super) const MOST_PARTS: usize = 10_000;
/// What the server copies in one go; larger objects are copied in parts, each of which ends well within the time limit.
pub(super) const COPIED_AT_ONCE: u64 = 64 << 20;

/// A part of an object to be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The server copies it from this blob.
    Copied(BlobKey, Range<u64>),
    /// It is sent. It is shorter than two of the least parts, beside the bytes that are at hand anyway.
    Sent(Vec<Piece>),
}

impl Part {
    /// The bytes that the server copies.
    pub(super) fn copied(&self) -> u64 {
        match self {
            Self::Copied(_, range) => range.end - range.start,
            Self::Sent(_) => 0,
        }
    }
}

/// The parts that these pieces become, at least one.
pub(super) fn parts(pieces: &[Piece]) -> Vec<Part> {
    let mut plan = Plan::default();
    for piece in pieces {
        plan.add(piece);
    }
    if plan.parts.is_empty() || plan.sent_size > 0 {
        plan.end_sent();
    }
    plan.parts
}

/// Whether at least half of the bytes of a blob can be copied, if it consists of ranges this long of other blobs and of
/// little else.
pub(super) fn is_worth_it(sizes: &[u64]) -> bool {
    // Something precedes them.
    let head = Piece::Bytes(bytes::Bytes::from_static(b"h"));
    let copies = sizes.iter().map(|size| Piece::Copy {
        key: BlobKey([0; 32]),
        range: 0..*size,
    });
    let pieces: Vec<_> = std::iter::once(head).chain(copies).collect();
    let parts = parts(&pieces);
    let copied: u64 = parts.iter().map(Part::copied).sum();
    let size: u64 = sizes.iter().sum();
    parts.len() <= MOST_PARTS && copied > 0 && copied >= size / 2
}

/// Ranges that the server copies in one go each; none is much shorter than another.
pub(super) fn cut(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let size = range.end - range.start;
    let number = size.div_ceil(COPIED_AT_ONCE);
    let border = move |index| range.start + size * index / number;
    (0..number).map(move |index| border(index)..border(index + 1))
}

/// A plan in the making.
#[derive(Default)]
struct Plan {
    parts: Vec<Part>,
    /// The part that is being gathered to be sent, and its size, which is less than the least.
    sent: Vec<Piece>,
    sent_size: u64,
}

impl Plan {
    fn add(&mut self, piece: &Piece) {
        let Piece::Copy { key, range } = piece else {
            return self.send(piece.clone());
        };
        let lacking = match self.sent_size {
            0 => 0,
            gathered => LEAST - gathered,
        };
        if piece.size() < lacking + LEAST {
            return self.send(piece.clone());
        }
        let cut_at = range.start + lacking;
        self.send(Piece::Copy {
            key: *key,
            range: range.start..cut_at,
        });
        let copies = cut(cut_at..range.end).map(|range| Part::Copied(*key, range));
        self.parts.extend(copies);
    }

    fn send(&mut self, piece: Piece) {
        if piece.size() == 0 {
            return;
        }
        self.sent_size += piece.size();
        self.sent.push(piece);
        if self.sent_size >= LEAST {
            self.end_sent();
        }
    }

    fn end_sent(&mut self) {
        self.sent_size = 0;
        self.parts.push(Part::Sent(std::mem::take(&mut self.sent)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const SIZES: [u64; 10] = [
        0,
        1,
        LEAST - 1,
        LEAST,
        LEAST + 1,
        2 * LEAST - 1,
        2 * LEAST,
        COPIED_AT_ONCE,
        COPIED_AT_ONCE + 1,
        5 * COPIED_AT_ONCE + 7,
    ];

    fn copy(number: u8, size: u64) -> Piece {
        Piece::Copy {
            key: BlobKey([number; 32]),
            range: 10..10 + size,
        }
    }

    fn literal(text: &'static str) -> Piece {
        Piece::Bytes(Bytes::from_static(text.as_bytes()))
    }

    /// The pieces that the parts stand for, adjacent ranges as one.
    fn undone(parts: &[Part]) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for part in parts {
            let all = match part {
                Part::Copied(key, range) => vec![Piece::Copy {
                    key: *key,
                    range: range.clone(),
                }],
                Part::Sent(pieces) => pieces.clone(),
            };
            for piece in all {
                match (pieces.last_mut(), &piece) {
                    (
                        Some(Piece::Copy { key, range }),
                        Piece::Copy {
                            key: same,
                            range: next,
                        },
                    ) if key == same && range.end == next.start => range.end = next.end,
                    _ => pieces.push(piece),
                }
            }
        }
        pieces
    }

    fn size(part: &Part) -> u64 {
        match part {
            Part::Copied(_, range) => range.end - range.start,
            Part::Sent(pieces) => pieces.iter().map(Piece::size).sum(),
        }
    }

    #[test]
    fn parts_are_the_pieces_in_their_order_and_of_the_right_sizes() {
        for first in SIZES {
            for second in SIZES {
                for third in SIZES {
                    let sizes = (first, second, third);
                    let pieces = [
                        literal("head"),
                        copy(1, first),
                        copy(2, second),
                        copy(3, third),
                        literal("tail"),
                    ];
                    let parts = parts(&pieces);
                    let whole: Vec<_> = pieces
                        .into_iter()
                        .filter(|piece| piece.size() > 0)
                        .collect();
                    assert_eq!(undone(&parts), whole, "{sizes:?}");
                    let (_, but_last) = parts.split_last().unwrap();
                    assert!(but_last.iter().all(|part| size(part) >= LEAST), "{sizes:?}");
                    for part in &parts {
                        let most = match part {
                            Part::Copied(..) => COPIED_AT_ONCE,
                            Part::Sent(_) => 2 * LEAST,
                        };
                        assert!(size(part) <= most, "{sizes:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_the_least_part_is_sent_of_large_pieces() {
        let large = 3 * COPIED_AT_ONCE;
        let pieces = [
            literal("head"),
            copy(1, large),
            copy(2, large),
            literal("tail"),
        ];
        let parts = parts(&pieces);
        let sent = parts.iter().filter(|part| part.copied() == 0);
        assert_eq!(sent.map(size).sum::<u64>(), LEAST + 4);
        assert_eq!(parts.len(), 1 + 3 + 3 + 1);
    }

    #[test]
    fn nothing_is_one_part_without_bytes() {
        for pieces in [&[][..], &[copy(1, 0), literal("")]] {
            assert_eq!(parts(pieces), [Part::Sent(Vec::new())]);
        }
    }

    #[test]
    fn copying_is_worth_it_if_half_of_the_bytes_are_copied_in_as_many_parts_as_there_may_be() {
        for (sizes, worth_it) in [
            (&[][..], false),
            (&[LEAST - 1; 800][..], false),
            (&[2 * LEAST - 2], false),
            (&[2 * LEAST], true),
            (&[2 * LEAST; 2], true),
            (&[LEAST; 3], true),
            (&[LEAST, LEAST, LEAST - 1, LEAST - 1, LEAST - 1], false),
            (&[LEAST; 9_999], true),
            (&[LEAST; 10_001], false),
        ] {
            assert_eq!(
                is_worth_it(sizes),
                worth_it,
                "{} of {:?}",
                sizes.len(),
                sizes.first()
            );
        }
    }
}
