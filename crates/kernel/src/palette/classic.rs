//! The colours of the original First App Application.

/// How many colours there are before they repeat.
const COLOURS: usize = 32;

/// Red, green, blue of each index.
pub(crate) const TABLE: [[u8; 3]; COLOURS] = {
    let mut table = [[0; 3]; COLOURS];
    let mut i = 0;
    while i < COLOURS {
        table[i] = [(i % 8 * 32) as u8, (i % 16 * 16) as u8, (i * 8) as u8];
        i += 1;
    }
    table
};

/// The colour of an orbit that escaped at `count`, or never did if that is `limit`. The original took the last value
/// of its loop's variable, so that never escaping looks like escaping in the last iteration.
#[inline]
pub(crate) fn index(count: u32, limit: u32) -> u8 {
    (count.min(limit - 1) as usize % COLOURS) as u8
}
