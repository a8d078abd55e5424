//! Random recipes: what the flags leave open is drawn uniformly between its bounds.

use crate::args::{CreateArgs, RANDOM_REAL, RANDOM_WHOLE, RecipeArgs};
use faafo_model::{Uuid, View, draw::julia_constant};
use fastrand::Rng;
use serde::Serialize;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Bounds of everything that can be drawn, and the values that are given.
pub struct Ranges<'a> {
    args: &'a RecipeArgs,
    priority: Option<i64>,
    tasks: Whole,
    whole: Vec<(&'static str, Whole)>,
}

/// A request for one fractal, as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request {
    /// The name the client chose: sending the request again can't make a second fractal.
    pub uuid: Uuid,
    /// The recipe's fields, but for what is left to the service.
    #[serde(flatten)]
    pub recipe: Map<String, Value>,
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
        let tasks = [create.min_tasks, create.max_tasks];
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
        let number = |value: &Value| u32::try_from(value.as_u64()?).ok();
        let whole = |(name, least, most)| {
            let given = args.given.get(name).and_then(number);
            let limits = args.limits(name).map(|limit| limit.and_then(number));
            Ok((name, Whole::new(name, given, limits, least..=most)?))
        };
        let whole = RANDOM_WHOLE.into_iter().map(whole);
        Ok(Self {
            tasks: Whole::new("tasks", Some(1), [None, None], 1..=1)?,
            priority: None,
            whole: whole.collect::<anyhow::Result<_>>()?,
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

    /// Draws even what is given: giving one value must not change what a seed draws for the others.
    fn draw(&self, rng: &mut Rng) -> Request {
        let args = self.args;
        let mut recipe = args.given.clone();
        for (name, whole) in &self.whole {
            let number = whole.draw(rng);
            recipe.insert((*name).to_owned(), number.into());
        }
        for (name, a, b) in RANDOM_REAL {
            let [min, max] = args.limits(name).map(|limit| limit.and_then(Value::as_f64));
            let drawn = uniform(rng, min.unwrap_or(a), max.unwrap_or(b));
            recipe.entry(name).or_insert(drawn.into());
        }
        // Without a seed the service draws the constant, as the original's workers did.
        let is_julia = recipe.get("kind").is_some_and(|kind| kind == "julia");
        if args.seed.is_some() && is_julia && !recipe.contains_key("cx") {
            let view = serde_json::from_value::<View>(Value::Object(recipe.clone()));
            if let Ok((cx, cy)) = view.map(|view| julia_constant(&view, rng)) {
                recipe.extend([("cx".to_owned(), cx.into()), ("cy".to_owned(), cy.into())]);
            }
        }
        Request {
            uuid: Uuid::now_v7(),
            recipe,
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
        bounds: [Option<u32>; 2],
        default: RangeInclusive<u32>,
    ) -> anyhow::Result<Self> {
        let (least, most) = (*default.start(), *default.end());
        let range = match bounds {
            [Some(a), Some(b)] => a.min(b)..=a.max(b),
            // A value that is given makes its bounds irrelevant.
            _ if given.is_some() => default,
            [Some(min), None] if min > most => anyhow::bail!(
                "--min-{name} {min} contradicts the default of --max-{name}, which is {most}: give both"
            ),
            [None, Some(max)] if max < least => anyhow::bail!(
                "--max-{name} {max} contradicts the default of --min-{name}, which is {least}: give both"
            ),
            [min, max] => min.unwrap_or(least)..=max.unwrap_or(most),
        };
        Ok(Self { given, range })
    }

    fn draw(&self, rng: &mut Rng) -> u32 {
        let drawn = rng.u32(self.range.clone());
        self.given.unwrap_or(drawn)
    }
}

/// A number between two bounds in any order.
fn uniform(rng: &mut Rng, a: f64, b: f64) -> f64 {
    let part = rng.f64();
    a * (1.0 - part) + b * part
}

#[cfg(test)]
#[path = "draw_tests.rs"]
mod tests;
