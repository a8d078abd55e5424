//! Random recipes: what the flags leave open is drawn uniformly between its bounds.

use crate::args::{ColourArgs, CreateArgs, RecipeArgs};
use faafo_model::{Format, Uuid, View, draw::julia_constant};
use fastrand::Rng;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Bounds of everything that can be drawn, and the values that are given.
pub struct Ranges<'a> {
    args: &'a RecipeArgs,
    priority: Option<i64>,
    tasks: Whole,
    width: Whole,
    height: Whole,
    iterations: Whole,
}

/// A request for one fractal, as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request {
    /// The name the client chose: sending the request again can't make a second fractal.
    pub uuid: Uuid,
    /// Columns, in pixels.
    pub width: u32,
    /// Rows, in pixels.
    pub height: u32,
    /// Most iterations spent on a pixel.
    pub iterations: u32,
    /// Edges.
    #[serde(flatten)]
    pub view: View,
    /// What to draw.
    pub kind: String,
    /// Real part of the constant, where it isn't left to the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cx: Option<f64>,
    /// Imaginary part of the constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cy: Option<f64>,
    /// What else the formula is told.
    #[serde(flatten)]
    pub parameters: BTreeMap<&'static str, f64>,
    /// Palette and colours, where they aren't left to the service.
    #[serde(flatten)]
    pub colours: ColourArgs,
    /// What becomes of it, where that isn't left to the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// How urgent it is, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
}

impl<'a> Ranges<'a> {
    /// The bounds that the flags ask for.
    ///
    /// # Errors
    /// A bound that is given contradicts the default of the other one.
    pub fn new(create: &'a CreateArgs) -> anyhow::Result<Self> {
        let tasks = (create.min_tasks, create.max_tasks);
        Ok(Self {
            tasks: Whole::new("tasks", create.tasks, tasks, 1..=10)?,
            priority: create.priority,
            ..Self::of_one(&create.recipe)?
        })
    }

    /// The same for a single picture.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_one(args: &'a RecipeArgs) -> anyhow::Result<Self> {
        Ok(Self {
            tasks: Whole::new("tasks", Some(1), (None, None), 1..=1)?,
            priority: None,
            width: Whole::new(
                "width",
                args.width,
                (args.min_width, args.max_width),
                256..=1024,
            )?,
            height: Whole::new(
                "height",
                args.height,
                (args.min_height, args.max_height),
                256..=1024,
            )?,
            iterations: Whole::new(
                "iterations",
                args.iterations,
                (args.min_iterations, args.max_iterations),
                128..=512,
            )?,
            args,
        })
    }

    /// All requests of one `faafo create`. With `--seed` they are the same each time, but for their names.
    pub fn draw_all(&self) -> Vec<Request> {
        let mut rng = self.args.seed.map_or_else(Rng::new, Rng::with_seed);
        let tasks = self.tasks.draw(&mut rng);
        // Each request has a generator of its own, so that what one draws does not shift the next one's values.
        (0..tasks)
            .map(|_| self.draw(&mut Rng::with_seed(rng.u64(..))))
            .collect()
    }

    fn draw(&self, rng: &mut Rng) -> Request {
        let args = self.args;
        let (width, height) = (self.width.draw(rng), self.height.draw(rng));
        let iterations = self.iterations.draw(rng);
        let view = View {
            xa: uniform(rng, args.xa, (args.min_xa, -1.0), (args.max_xa, -4.0)),
            xb: uniform(rng, args.xb, (args.min_xb, 1.0), (args.max_xb, 4.0)),
            ya: uniform(rng, args.ya, (args.min_ya, -0.5), (args.max_ya, -3.0)),
            yb: uniform(rng, args.yb, (args.min_yb, 0.5), (args.max_yb, 3.0)),
        };
        // Without a seed the service draws the constant, as the original's workers did.
        let constant = match (args.cx, args.cy) {
            (None, None) if args.seed.is_some() && args.kind == "julia" => {
                let (cx, cy) = julia_constant(&view, rng);
                (Some(cx), Some(cy))
            }
            given => given,
        };
        Request {
            uuid: Uuid::new_v4(),
            width,
            height,
            iterations,
            view,
            kind: args.kind.clone(),
            cx: constant.0,
            cy: constant.1,
            parameters: args.parameters.0.clone(),
            colours: args.colours.clone(),
            format: args.format,
            priority: self.priority,
        }
    }
}

/// A whole number that is given, or drawn from a range that includes both ends.
struct Whole {
    given: Option<u32>,
    range: RangeInclusive<u32>,
}

impl Whole {
    fn new(
        name: &str,
        given: Option<u32>,
        bounds: (Option<u32>, Option<u32>),
        default: RangeInclusive<u32>,
    ) -> anyhow::Result<Self> {
        let (least, most) = (*default.start(), *default.end());
        let range = match bounds {
            (Some(a), Some(b)) => a.min(b)..=a.max(b),
            // A value that is given makes its bounds irrelevant.
            _ if given.is_some() => default,
            (Some(min), None) if min > most => anyhow::bail!(
                "--min-{name} {min} contradicts the default of --max-{name}, which is {most}: give both"
            ),
            (None, Some(max)) if max < least => anyhow::bail!(
                "--max-{name} {max} contradicts the default of --min-{name}, which is {least}: give both"
            ),
            (min, max) => min.unwrap_or(least)..=max.unwrap_or(most),
        };
        Ok(Self { given, range })
    }

    /// Draws even where the value is given: giving one value must not change what a seed draws for the others.
    fn draw(&self, rng: &mut Rng) -> u32 {
        let drawn = rng.u32(self.range.clone());
        self.given.unwrap_or(drawn)
    }
}

/// The value given, or one between two bounds in any order, each with its default.
fn uniform(
    rng: &mut Rng,
    given: Option<f64>,
    (a, default_a): (Option<f64>, f64),
    (b, default_b): (Option<f64>, f64),
) -> f64 {
    let (a, b) = (a.unwrap_or(default_a), b.unwrap_or(default_b));
    let part = rng.f64();
    given.unwrap_or(a * (1.0 - part) + b * part)
}

#[cfg(test)]
#[path = "draw_tests.rs"]
mod tests;
