//! Gradients as other programs keep them: Fractint's `.map`, GIMP's `.gpl` and Ultra Fractal's `.ugr`; and the short
//! form in which they stand on a command line.

mod gpl;
mod list;
mod map;
mod reduce;
mod ugr;

use crate::Stop;

/// The largest file that is read, in bytes.
pub const MOST_BYTES: usize = 1 << 20;

/// A file that holds no gradient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoGradient {
    /// A line is not as it should be.
    #[error("line {line}: {reason}")]
    Line {
        /// Its number, from 1 on.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The whole is not.
    #[error("{0}")]
    Whole(&'static str),
}

impl NoGradient {
    fn line(line: usize, reason: impl Into<String>) -> Self {
        Self::Line {
            line,
            reason: reason.into(),
        }
    }
}

/// Reads a file of any of the known kinds, which it tells by its content. Of several gradients in a file it takes the
/// first. What has more than [`crate::colours::MOST_STOPS`] stops is approximated by as many.
///
/// # Errors
/// The first line that is not as it should be, or why there is no gradient at all.
pub fn read(bytes: &[u8]) -> Result<Vec<Stop>, NoGradient> {
    if bytes.len() > MOST_BYTES {
        return Err(NoGradient::Whole("the file is too large for a gradient"));
    }
    // Names may be in any encoding; everything that counts is ASCII.
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    let stops = match first {
        None => return Err(NoGradient::Whole("the file is empty")),
        Some(line) if line.starts_with("GIMP Palette") => gpl::read(text)?,
        Some(_) if ugr::is_one(text) => ugr::read(text)?,
        Some(_) => map::read(text)?,
    };
    Ok(reduce::reduced(stops))
}

/// Reads stops such as `0:03051a,0.5:ffffff`.
///
/// # Errors
/// What is wrong with the first stop that is.
pub fn parse_list(text: &str) -> Result<Vec<Stop>, NoGradient> {
    list::parse(text)
}

/// Writes stops as [`parse_list`] reads them, with nothing that a shell or an address would take for something else.
pub fn to_list(stops: &[Stop]) -> String {
    list::write(stops)
}

/// Stops from lines that begin with red, green and blue, 0 to 255 each, at most so many. What stands behind is a remark.
fn colour_a_line<'t>(
    lines: impl Iterator<Item = (usize, &'t str)>,
    most: usize,
) -> Result<Vec<Stop>, NoGradient> {
    let mut colours = Vec::new();
    for (number, line) in lines {
        let mut words = line.split_whitespace();
        let mut next = || words.next().and_then(channel);
        let (Some(red), Some(green), Some(blue)) = (next(), next(), next()) else {
            let found = short(line);
            let reason = format!("three numbers from 0 to 255 expected, found {found:?}");
            return Err(NoGradient::line(number, reason));
        };
        if colours.len() == most {
            let reason = format!("there may be at most {most} colours");
            return Err(NoGradient::line(number, reason));
        }
        colours.push([red, green, blue]);
    }
    match colours.len() {
        0 | 1 => Err(NoGradient::Whole("a palette needs two colours or more")),
        _ => Ok(even(&colours)),
    }
}

/// A number of 0 to 255.
fn channel(word: &str) -> Option<u8> {
    // Fractint itself takes larger ones modulo 256, which nobody means.
    word.parse().ok()
}

/// Lines with their numbers, trimmed.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines().map(str::trim))
}

/// A word as an error quotes it.
fn short(word: &str) -> String {
    word.chars().take(40).collect()
}

/// Colours as stops, evenly apart, such that the last goes on to the first.
fn even(colours: &[[u8; 3]]) -> Vec<Stop> {
    let places = colours.iter().enumerate();
    places
        .map(|(index, &colour)| Stop {
            position: index as f64 / colours.len() as f64,
            colour: crate::Rgb(colour),
        })
        .collect()
}

#[cfg(test)]
mod tests;
