//! Ultra Fractal's gradients: `name { gradient: … index=N color=N … }`, with indices from 0 to 399 around a closed
//! curve, and red in the lowest byte of a colour.

use super::{NoGradient, lines, short};
use crate::{Rgb, Stop};

/// Indices around the curve.
const LENGTH: i64 = 400;
/// More are not looked at.
const MOST_STOPS: usize = 4096;

/// Whether a text is of this kind.
pub(super) fn is_one(text: &str) -> bool {
    let remarkless = |line: &str| !line.starts_with(';');
    let mut lines = text.lines().map(str::trim).filter(|line| remarkless(line));
    lines.any(|line| line.contains('{') || line.starts_with("gradient:"))
}

pub(super) fn read(text: &str) -> Result<Vec<Stop>, NoGradient> {
    let mut stops: Vec<(i64, Rgb)> = Vec::new();
    let mut within = false;
    let mut index = None;
    'lines: for (number, line) in lines(text) {
        let line = line.split(';').next().unwrap_or_default();
        for word in line.split_whitespace() {
            match word {
                "gradient:" => within = true,
                // Opacities and whatever else follows are another matter.
                _ if within && (word == "}" || word.ends_with(':')) => break 'lines,
                _ if !within => {}
                _ => {
                    let (name, value) = word.split_once('=').unwrap_or((word, ""));
                    let whole = || {
                        let unreadable = || format!("{name}: no whole number: {:?}", short(value));
                        let number_read = value.parse::<i64>();
                        number_read.map_err(|_| NoGradient::line(number, unreadable()))
                    };
                    match name {
                        "index" => index = Some(whole()?),
                        "color" => {
                            let colour = colour(whole()?)
                                .ok_or_else(|| NoGradient::line(number, "color: out of range"))?;
                            let at = index.take().ok_or_else(|| {
                                NoGradient::line(number, "a color without an index before it")
                            })?;
                            if stops.len() == MOST_STOPS {
                                return Err(NoGradient::line(number, "too many colours"));
                            }
                            stops.push((at.rem_euclid(LENGTH), colour));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    if stops.len() < 2 {
        return Err(NoGradient::Whole("a gradient needs two colours or more"));
    }
    stops.sort_by_key(|(at, _)| *at);
    let stop = |(at, colour): (i64, Rgb)| Stop {
        position: at as f64 / LENGTH as f64,
        colour,
    };
    Ok(stops.into_iter().map(stop).collect())
}

fn colour(number: i64) -> Option<Rgb> {
    let [zero, blue, green, red] = u32::try_from(number).ok()?.to_be_bytes();
    (zero == 0).then_some(Rgb([red, green, blue]))
}
