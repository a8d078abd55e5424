//! Stops on a line.

use super::{NoGradient, short};
use crate::Stop;
use crate::colours::MOST_STOPS;

pub(super) fn parse(text: &str) -> Result<Vec<Stop>, NoGradient> {
    let mut stops = Vec::new();
    for word in text.split(',') {
        if stops.len() == MOST_STOPS {
            return Err(NoGradient::Whole("a gradient has at most 64 stops"));
        }
        let stop = stop(word.trim()).ok_or_else(|| {
            let reason = format!(
                "a stop such as 0.5:1c5ec2 expected, found {:?}",
                short(word)
            );
            NoGradient::line(1, reason)
        })?;
        stops.push(stop);
    }
    Ok(stops)
}

fn stop(word: &str) -> Option<Stop> {
    let (position, colour) = word.split_once(':')?;
    Some(Stop {
        position: position
            .trim()
            .parse()
            .ok()
            .filter(|at: &f64| at.is_finite())?,
        colour: colour.trim().parse().ok()?,
    })
}

pub(super) fn write(stops: &[Stop]) -> String {
    let stops = stops.iter();
    let words: Vec<String> = stops
        .map(|stop| format!("{}:{}", stop.position, stop.colour.digits()))
        .collect();
    words.join(",")
}
