//! From what is known of an orbit to its colour.

use super::distribution::Distribution;
use super::maths::{ln, log2, turns};
use super::table::Table;
use crate::formulas::AnyIteration;
use crate::palette::aurora::{OFFSET, TURNS};
use crate::plane::Plane;
use crate::search::Stopped;
use crate::simd::Level;
use crate::trail::{LARGE_FOR_STRIPES, Mark, Wanted};
use faafo_formula::REST;
use faafo_model::{Colouring, Palette, Recipe};
use faafo_picture::srgb;

/// Colours of the classic palette, which it has one for each iteration of.
const CLASSIC_STEPS: f64 = 32.0;

/// Indices of an indexed picture's other palettes; one more is the interior's.
const INDICES: f64 = 255.0;

/// The interior of palettes that don't have one of their own.
const BLACK: [u8; 3] = [0; 3];

/// How a recipe colours.
#[derive(Debug)]
pub(crate) struct Paint {
    colouring: Colouring,
    table: Table,
    density: f64,
    offset: f64,
    limit: u32,
    degree: Option<f64>,
    distribution: Option<Distribution>,
    inside: Inside,
    plane: Plane,
    /// Length of the picture's diagonal.
    diagonal: f64,
}

/// What never ends.
#[derive(Debug, Clone, Copy)]
enum Inside {
    /// Has this colour.
    Colour([u8; 3]),
    /// Has the colour of what ended in the last iteration.
    Last,
}

/// The colour of a sample.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tone {
    /// That of what never ends.
    Inside([u8; 3]),
    /// That of a place in the palette, so bright.
    Outside { place: f64, shade: f32 },
}

impl Paint {
    /// Of a recipe.
    pub fn new(recipe: &Recipe, iteration: &dyn AnyIteration) -> Self {
        let colours = &recipe.colours;
        let colouring = recipe.colouring();
        let inside = match (colours.interior, recipe.palette) {
            (Some(colour), _) => Inside::Colour(colour.0),
            (None, Palette::Classic) if colouring == Colouring::Classic => Inside::Last,
            (None, Palette::Aurora) => Inside::Colour(crate::palette::aurora::INTERIOR),
            (None, _) => Inside::Colour(BLACK),
        };
        let plane = Plane::of(recipe);
        Self {
            colouring,
            table: Table::new(recipe),
            density: colours.density,
            offset: colours.offset,
            limit: recipe.iterations,
            degree: iteration.degree(),
            distribution: (colouring == Colouring::Histogram)
                .then(|| Distribution::new(recipe, iteration)),
            inside,
            diagonal: plane.diagonal(),
            plane,
        }
    }

    /// What must be gathered along orbits, if anything.
    pub fn wanted(&self) -> Option<Wanted> {
        match self.colouring {
            Colouring::Classic => None,
            Colouring::Smooth | Colouring::Histogram | Colouring::Angle => Some(Wanted::End),
            Colouring::Distance | Colouring::Slope => Some(Wanted::Gradient),
            Colouring::Trap => Some(Wanted::Trap),
            Colouring::Stripe => Some(Wanted::Stripe),
        }
    }

    /// Whether tones differ in nothing but their place.
    pub fn is_even(&self) -> bool {
        !matches!(self.colouring, Colouring::Slope | Colouring::Angle)
    }

    /// Goes on for a while to find out what must be known of the whole picture; whether that is done.
    pub fn prepare(
        &self,
        iteration: &dyn AnyIteration,
        level: Level,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Stopped> {
        match &self.distribution {
            Some(distribution) => distribution.go_on(iteration, level, self.limit, stop),
            None => Ok(true),
        }
    }

    /// The colour of a sample.
    pub fn tone(&self, count: u32, mark: Option<&Mark>) -> Tone {
        if count >= self.limit {
            return match self.inside {
                Inside::Colour(colour) => Tone::Inside(colour),
                Inside::Last => self.even(f64::from(self.limit - 1) / CLASSIC_STEPS),
            };
        }
        let Some(mark) = mark else {
            return self.even(f64::from(count) / CLASSIC_STEPS);
        };
        let time = || time(count, mark, self.degree);
        match self.colouring {
            Colouring::Classic => self.even(f64::from(count) / CLASSIC_STEPS),
            Colouring::Smooth => self.even(self.smooth(time())),
            Colouring::Histogram => {
                let part = self
                    .distribution
                    .as_ref()
                    .map(|all| all.part_before(time()));
                self.even(part.unwrap_or(0.0))
            }
            Colouring::Distance => {
                let (distance, _) = gradient(mark);
                let part = distance / (distance + self.diagonal);
                self.even(log2(1.0 + 4095.0 * part) / 12.0)
            }
            Colouring::Slope => {
                let (_, direction) = gradient(mark);
                self.toned(self.smooth(time()), self.light(direction))
            }
            Colouring::Trap => self.even(0.12 * log2(1.0 + 1.0 / mark.more[0])),
            Colouring::Stripe => self.even(self.stripe(count, mark)),
            Colouring::Angle => {
                let shade = 1.0 / (1.0 + 0.05 * time().max(0.0));
                // Roots of 1 must not lie where a palette with two ends has its seam.
                let angle = turns(mark.more[0], mark.more[1]) + 1.0 / 32.0;
                self.toned(angle - angle.floor(), shade)
            }
        }
    }

    fn even(&self, position: f64) -> Tone {
        self.toned(position, 1.0)
    }

    fn toned(&self, position: f64, shade: f64) -> Tone {
        Tone::Outside {
            place: self.table.place(position * self.density + self.offset),
            shade: if shade.is_finite() { shade as f32 } else { 1.0 },
        }
    }

    /// The position of a continuous escape time: fast while times are small, slower as they grow.
    fn smooth(&self, time: f64) -> f64 {
        (time + OFFSET).max(0.0).sqrt() * TURNS * self.table.turn()
    }

    /// The brightness of a slope whose potential falls in that direction of the plane
    /// (A. Chéritat, "Techniques for computer generated pictures in complex dynamics").
    fn light(&self, direction: [f64; 2]) -> f64 {
        const HEIGHT: f64 = 1.0;
        const HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;
        let [x, y] = self.plane.seen(direction);
        let lit = ((HEIGHT - HALF * (x + y)) / (1.0 + HEIGHT)).max(0.0);
        0.08 + 1.4 * lit
    }

    /// The average of an orbit's stripes, 0 to 1: the larger its last z, the less that counts, so that nothing jumps
    /// where another step is needed.
    fn stripe(&self, count: u32, mark: &Mark) -> f64 {
        let steps = f64::from(count) + mark.extra;
        let [all, earlier] = mark.more;
        let (with, without) = (all / steps.max(1.0), earlier / (steps - 1.0).max(1.0));
        let part = match self.degree {
            Some(degree) if mark.rest[1] >= REST => {
                1.0 - log2(log2(mark.z.norm()) / log2(LARGE_FOR_STRIPES)) / log2(degree)
            }
            _ => at_rest(mark),
        };
        let part = part.clamp(0.0, 1.0);
        let average = without + (with - without) * part;
        // Most averages are small.
        0.5 + 0.5 * (2.0 * average).clamp(-1.0, 1.0)
    }

    /// The colours of a picture's indices, if all it has are few enough.
    pub fn indices(&self) -> Vec<[u8; 3]> {
        let steps = self.steps();
        // The classic colours stand where each step begins.
        let within = if self.table.is_classic() { 0.0 } else { 0.5 };
        let places = (0..steps as usize).map(|index| (index as f64 + within) / steps);
        let colours = places.map(|place| self.table.bytes(place));
        let inside = match self.inside {
            Inside::Colour(colour) => Some(colour),
            Inside::Last => None,
        };
        colours.chain(inside).collect()
    }

    fn steps(&self) -> f64 {
        if self.table.is_classic() {
            CLASSIC_STEPS
        } else {
            INDICES
        }
    }

    /// The index of a tone.
    pub fn index(&self, tone: Tone) -> u8 {
        let steps = self.steps();
        match tone {
            Tone::Inside(_) => steps as u8,
            Tone::Outside { place, .. } => (place * steps).min(steps - 1.0) as u8,
        }
    }

    /// The sRGB bytes of a tone, if its brightness is the palette's.
    #[inline]
    pub fn bytes(&self, tone: Tone) -> [u8; 3] {
        match tone {
            Tone::Inside(colour) => colour,
            Tone::Outside { place, .. } => self.table.bytes(place),
        }
    }

    /// The linear light of a tone.
    #[inline]
    pub fn light_of(&self, tone: Tone) -> [f32; 3] {
        match tone {
            Tone::Inside(colour) => colour.map(srgb::light_of),
            Tone::Outside { place, shade } => {
                self.table.light(place).map(|channel| channel * shade)
            }
        }
    }
}

/// The continuous escape time: near `count` on the circle |z| = 2, or where rest begins.
pub(crate) fn time(count: u32, mark: &Mark, degree: Option<f64>) -> f64 {
    let time = f64::from(count) + mark.extra;
    match degree {
        Some(degree) if mark.rest[1] >= REST => {
            time - log2(0.5 * log2(mark.z.norm())) / log2(degree)
        }
        _ if mark.rest[1] < REST && count > 0 => time - 1.0 + at_rest(mark),
        _ => time,
    }
}

/// How much of the last step an orbit needed to come to rest, 0 to 1.
fn at_rest(mark: &Mark) -> f64 {
    let [before, now] = mark.rest.map(log2);
    let part = (before - log2(REST)) / (before - now);
    part.clamp(0.0, 1.0)
}

/// The estimated distance to the set, and the direction in which orbits end sooner, of length 1
/// (J. Milnor, "Dynamics in One Complex Variable", appendix G, for any map that can be differentiated).
fn gradient(mark: &Mark) -> (f64, [f64; 2]) {
    let resting = mark.rest[1] < REST;
    // At rest itself little is left of the digits.
    let size = if resting { mark.rest[0] } else { mark.z.norm() };
    let [x, y] = mark.more.map(|by| by / size);
    let larger = x.abs().max(y.abs());
    let (part, other) = (x / larger, y / larger);
    let length = (part * part + other * other).sqrt();
    let distance = ln(size).abs() / (larger * length);
    if !(distance.is_finite() && length > 0.0) {
        return (0.0, [0.0; 2]);
    }
    let outwards = if resting { -1.0 } else { 1.0 };
    (distance, [part, other].map(|part| outwards * part / length))
}
