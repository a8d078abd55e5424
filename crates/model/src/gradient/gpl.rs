//! GIMP's palettes: a header, then a line with red, green, blue and perhaps a name for each colour.

use super::{NoGradient, channel, even, lines, short};
use crate::Stop;

const MOST_COLOURS: usize = 4096;

pub(super) fn read(text: &str) -> Result<Vec<Stop>, NoGradient> {
    let mut colours = Vec::new();
    let body = lines(text).skip_while(|(_, line)| !line.starts_with("GIMP Palette"));
    for (number, line) in body.skip(1) {
        let heading = colours.is_empty() && line.split_whitespace().next().is_some_and(heading);
        if line.is_empty() || line.starts_with('#') || heading {
            continue;
        }
        let mut words = line.split_whitespace();
        let mut next = || words.next().and_then(channel);
        let (Some(red), Some(green), Some(blue)) = (next(), next(), next()) else {
            let reason = format!(
                "three numbers from 0 to 255 expected, found {:?}",
                short(line)
            );
            return Err(NoGradient::line(number, reason));
        };
        if colours.len() == MOST_COLOURS {
            return Err(NoGradient::line(number, "too many colours"));
        }
        colours.push([red, green, blue]);
    }
    match colours.len() {
        0 | 1 => Err(NoGradient::Whole("a palette needs two colours or more")),
        _ => Ok(even(&colours)),
    }
}

/// Whether a line begins with the name of a property.
fn heading(word: &str) -> bool {
    word == "Name:" || word == "Columns:"
}
