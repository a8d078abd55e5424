//! In which line a task waits until there is room for it in the queue.

use faafo_model::Part;

/// A line of tasks. None waits for those in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// What somebody has moved forward, whatever it is.
    Urgent,
    /// Fractals, and posters to be planned or joined: short work, for which one poster does not wait behind another
    /// one's bands.
    Ordinary,
    /// Bands.
    Bands,
}

/// The condition that an entry of the outbox is about a band.
const IS_BAND: &str =
    "EXISTS (SELECT 1 FROM fractals f WHERE f.uuid = outbox.uuid AND f.parent IS NOT NULL)";

impl Line {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Ordinary, Self::Bands];

    /// That of a task; [`condition`](Self::condition) says the same of its entry in the outbox.
    pub(super) fn of(part: Part, priority: i64) -> Self {
        match part {
            _ if priority > 0 => Self::Urgent,
            Part::Band { .. } => Self::Bands,
            Part::Whole | Part::Plan { .. } | Part::Join { .. } => Self::Ordinary,
        }
    }

    fn condition(self) -> String {
        match self {
            Self::Urgent => "turn < 0".to_owned(),
            Self::Ordinary => format!("turn >= 0 AND NOT {IS_BAND}"),
            Self::Bands => format!("turn >= 0 AND {IS_BAND}"),
        }
    }

    /// The condition that an entry of the outbox stands in one of these lines.
    pub(super) fn any_of(lines: &[Self]) -> String {
        if lines.len() == Self::ALL.len() {
            return "1 = 1".to_owned();
        }
        let conditions = lines.iter().map(|line| line.condition());
        // None at all is never true.
        let conditions: Vec<_> = conditions.chain(["1 = 0".to_owned()]).collect();
        format!("({})", conditions.join(" OR "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faafo_model::{BlobKey, Uuid};

    const BAND: Part = Part::Band {
        poster: Uuid::nil(),
        first: 0,
        rows: 1,
    };

    #[test]
    fn only_bands_stand_in_the_line_of_bands() {
        let manifest = BlobKey([0; 32]);
        let plan = Part::Plan { band_area: 1 };
        let others = [Part::Whole, plan, Part::Join { manifest }];
        for priority in [0, -100] {
            assert_eq!(Line::of(BAND, priority), Line::Bands);
            let lines = others.map(|part| Line::of(part, priority));
            assert_eq!(lines, [Line::Ordinary; 3]);
        }
    }

    #[test]
    fn what_is_moved_forward_overtakes_whatever_it_is() {
        for part in [Part::Whole, BAND] {
            assert_eq!(Line::of(part, 1), Line::Urgent);
        }
    }
}
