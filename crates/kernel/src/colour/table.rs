//! Palettes as tables of colours.

use super::named::{self, PLACES};
use super::oklab;
use crate::palette::{aurora, classic};
use faafo_model::{Palette, Recipe};

/// Entries of a table.
const STEPS: usize = 4096;

/// A palette.
#[derive(Debug)]
pub(crate) struct Table {
    /// Linear light at each step, and once more the last or, where the palette is closed, the first.
    lights: Vec<[f32; 3]>,
    /// The same as sRGB bytes.
    bytes: Vec<[u8; 3]>,
    closed: bool,
    classic: bool,
}

/// A place of a gradient, and the colour there.
#[derive(Debug, Clone, Copy)]
struct Stop {
    at: f64,
    lab: [f64; 3],
}

impl Table {
    /// The palette of a recipe.
    pub fn new(recipe: &Recipe) -> Self {
        match recipe.palette {
            Palette::Aurora => Self::closed(aurora::light),
            Palette::Classic => {
                let colours = classic::TABLE.iter().enumerate();
                let stops: Vec<Stop> = colours
                    .map(|(index, &rgb)| stop(index as f64 / classic::TABLE.len() as f64, rgb))
                    .collect();
                Self {
                    classic: true,
                    ..Self::closed(|at| between(&stops, at))
                }
            }
            Palette::Viridis => Self::open(&named::VIRIDIS),
            Palette::Magma => Self::open(&named::MAGMA),
            Palette::Inferno => Self::open(&named::INFERNO),
            Palette::Plasma => Self::open(&named::PLASMA),
            Palette::Cividis => Self::open(&named::CIVIDIS),
            Palette::Gradient => {
                let stops = recipe.colours.gradient.iter();
                let stops: Vec<Stop> = stops
                    .map(|given| stop(given.position, given.colour.0))
                    .collect();
                Self::closed(|at| between(&stops, at))
            }
        }
    }

    /// A palette that ends where it begins.
    fn closed(colour: impl Fn(f64) -> [f64; 3]) -> Self {
        Self::made(true, |step| colour((step % STEPS) as f64 / STEPS as f64))
    }

    /// A palette with two ends.
    fn open(places: &[u32; PLACES]) -> Self {
        let rgb = |rgb: u32| {
            let [_, red, green, blue] = rgb.to_be_bytes();
            [red, green, blue]
        };
        let places = places.iter().enumerate();
        let stops: Vec<Stop> = places
            .map(|(index, &place)| stop(index as f64 / (PLACES - 1) as f64, rgb(place)))
            .collect();
        Self::made(false, |step| {
            let at = (step as f64 / (STEPS - 1) as f64).min(1.0);
            between(&stops, at)
        })
    }

    fn made(closed: bool, colour: impl Fn(usize) -> [f64; 3]) -> Self {
        let colours: Vec<[f64; 3]> = (0..=STEPS).map(colour).collect();
        let single = |light: &[f64; 3]| light.map(|channel| channel as f32);
        Self {
            lights: colours.iter().map(single).collect(),
            bytes: colours[..STEPS].iter().copied().map(oklab::bytes).collect(),
            closed,
            classic: false,
        }
    }

    /// Whether it consists of the original's 32 colours.
    pub fn is_classic(&self) -> bool {
        self.classic
    }

    /// How far a position goes until everything repeats.
    #[inline]
    pub fn turn(&self) -> f64 {
        if self.closed { 1.0 } else { 2.0 }
    }

    /// The place of a position, from 0 to below 1 or, in a palette with two ends, to 1. The palette is passed through
    /// from each whole number to the next; one with two ends every other time backwards.
    #[inline]
    pub fn place(&self, position: f64) -> f64 {
        let place = if self.closed {
            position - position.floor()
        } else {
            let there_and_back = position - 2.0 * (position * 0.5).floor();
            if there_and_back > 1.0 {
                2.0 - there_and_back
            } else {
                there_and_back
            }
        };
        // Also what is not a number has a colour.
        if (0.0..=1.0).contains(&place) {
            place
        } else {
            0.0
        }
    }

    /// The step of a place.
    #[inline]
    fn step(&self, place: f64) -> f64 {
        place * if self.closed { STEPS } else { STEPS - 1 } as f64
    }

    /// sRGB bytes at a place.
    #[inline]
    pub fn bytes(&self, place: f64) -> [u8; 3] {
        self.bytes[(self.step(place) as usize).min(STEPS - 1)]
    }

    /// Linear light at a place, between those of two steps.
    #[inline]
    pub fn light(&self, place: f64) -> [f32; 3] {
        let step = self.step(place);
        let index = (step as usize).min(STEPS - 1);
        let part = (step - index as f64) as f32;
        let (here, next) = (self.lights[index], self.lights[index + 1]);
        std::array::from_fn(|channel| here[channel] + (next[channel] - here[channel]) * part)
    }
}

fn stop(at: f64, rgb: [u8; 3]) -> Stop {
    Stop {
        at,
        lab: oklab::oklab(rgb),
    }
}

/// The linear light between two stops of a gradient that goes on from its last to its first.
fn between(stops: &[Stop], at: f64) -> [f64; 3] {
    let count = stops.len();
    let after = stops.iter().position(|stop| stop.at > at).unwrap_or(count);
    let (left, right) = (stops[(after + count - 1) % count], stops[after % count]);
    let gap = |from: f64, to: f64| {
        if to < from {
            to + 1.0 - from
        } else {
            to - from
        }
    };
    let width = match after {
        // From the last stop to the first of the next turn.
        _ if after == 0 || after == count => right.at + 1.0 - left.at,
        _ => right.at - left.at,
    };
    let part = if width > 0.0 {
        (gap(left.at, at) / width).min(1.0)
    } else {
        0.0
    };
    let mix = |channel: usize| left.lab[channel] + (right.lab[channel] - left.lab[channel]) * part;
    oklab::light([mix(0), mix(1), mix(2)])
}
