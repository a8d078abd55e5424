//! Fractint's colour maps: a line with red, green and blue for each colour, up to 256, and perhaps a remark behind.

use super::{NoGradient, colour_a_line, lines};
use crate::Stop;

const MOST_COLOURS: usize = 256;

pub(super) fn read(text: &str) -> Result<Vec<Stop>, NoGradient> {
    let colours = lines(text).filter(|(_, line)| !line.is_empty() && !line.starts_with(';'));
    colour_a_line(colours, MOST_COLOURS)
}
