//! Fractint's colour maps: a line with red, green and blue for each colour, up to 256, and perhaps a remark behind.

use super::{NoGradient, channel, even, lines, short};
use crate::Stop;

const MOST_COLOURS: usize = 256;

pub(super) fn read(text: &str) -> Result<Vec<Stop>, NoGradient> {
    let mut colours = Vec::new();
    for (number, line) in lines(text) {
        if line.is_empty() || line.starts_with(';') {
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
            return Err(NoGradient::line(number, "a map has at most 256 colours"));
        }
        colours.push([red, green, blue]);
    }
    match colours.len() {
        0 | 1 => Err(NoGradient::Whole("a map needs two colours or more")),
        _ => Ok(even(&colours)),
    }
}
