//! How the escape times of a picture are distributed, from a sparse sample of it. The sample depends on the recipe
//! alone, so every part of a picture finds the same.

use super::paint::time;
use super::sampler::Sampler;
use crate::formulas::AnyIteration;
use crate::plane::Plane;
use crate::search::Stopped;
use crate::simd::Level;
use crate::trail::Wanted;
use faafo_model::Recipe;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Samples across a picture, and as many down; fewer where there are fewer pixels.
const MOST: u32 = 128;

/// The distribution, or the way to it.
pub(crate) struct Distribution {
    /// Escape times of the samples that escape, in rising order.
    times: OnceLock<Vec<f64>>,
    sampler: Mutex<Option<Sampler>>,
}

impl std::fmt::Debug for Distribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Distribution")
            .field(&self.times.get().map(Vec::len))
            .finish()
    }
}

impl Distribution {
    /// Of a recipe; nothing is known yet.
    pub fn new(recipe: &Recipe, iteration: &dyn AnyIteration) -> Self {
        let (width, height) = (recipe.width.min(MOST), recipe.height.min(MOST));
        let plane = Plane::new(&recipe.view, width, height);
        let (columns, rows) = (plane.columns(), plane.rows(0..height));
        let sampler = Sampler::new(iteration, columns, rows, Some(Wanted::End));
        Self {
            times: OnceLock::new(),
            sampler: Mutex::new(Some(sampler)),
        }
    }

    /// Goes on for a while to find it, unless another thread does; whether it is known.
    pub fn go_on(
        &self,
        iteration: &dyn AnyIteration,
        level: Level,
        limit: u32,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Stopped> {
        if self.times.get().is_some() {
            return Ok(true);
        }
        let mut sampler = self.sampler.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(under_way) = sampler.as_mut() else {
            return Ok(true);
        };
        if !under_way.go_on(iteration, level, stop)? {
            return Ok(false);
        }
        let degree = iteration.degree();
        let escaped = under_way
            .samples()
            .filter(|&(count, _)| count < limit)
            .filter_map(|(count, mark)| Some(time(count, mark?, degree)));
        let mut times: Vec<f64> = escaped.filter(|time| time.is_finite()).collect();
        times.sort_unstable_by(f64::total_cmp);
        let _ = self.times.set(times);
        *sampler = None;
        Ok(true)
    }

    /// The part of what escapes that does so before a time, 0 to 1. It grows steadily with the time.
    pub fn part_before(&self, time: f64) -> f64 {
        let times = self.times.get().map_or(&[][..], Vec::as_slice);
        let after = times.partition_point(|&other| other <= time);
        let between = match (
            after.checked_sub(1).map(|index| times[index]),
            times.get(after),
        ) {
            (Some(before), Some(&next)) => (time - before) / (next - before),
            // Beyond the last and before the first sample nobody knows.
            (Some(_), None) => 0.0,
            (None, _) => return 0.0,
        };
        ((after - 1) as f64 + between) / times.len() as f64
    }
}
