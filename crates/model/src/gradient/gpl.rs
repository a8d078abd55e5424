//! GIMP's palettes: a header, then a line with red, green, blue and perhaps a name for each colour.

use super::{NoGradient, colour_a_line, lines};
use crate::Stop;

const MOST_COLOURS: usize = 4096;

pub(super) fn read(text: &str) -> Result<Vec<Stop>, NoGradient> {
    let body = lines(text).skip_while(|(_, line)| !line.starts_with("GIMP Palette"));
    // Properties stand before the colours.
    let body = body
        .skip(1)
        .skip_while(|(_, line)| line.is_empty() || line.starts_with('#') || is_property(line));
    let colours = body.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    colour_a_line(colours, MOST_COLOURS)
}

fn is_property(line: &str) -> bool {
    matches!(line.split_whitespace().next(), Some("Name:" | "Columns:"))
}
