//! Parts of the kernel's work by themselves, for benchmarks: how fast they are is measured by whoever calls them.

use crate::block::Plan;
use crate::plane::{Pixels, Plane};
use crate::search::{RawLoop, Search, Stopped};
use crate::simd::{AtLevel, Level, MOST_LANES, Vector, at_level};
use crate::{RenderError, Watch, formulas};
use faafo_model::Recipe;
use faafo_picture::png::{self, Format};
use std::hint::black_box;
use std::sync::Arc;

/// How much there is to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orbits {
    /// Pixels.
    pub pixels: u64,
    /// Iterations of all pixels together, as an observer counts them: the limit for each that does not end.
    pub iterations: u64,
}

/// Multiplications and additions in the proportion of z² + c, three to four, as fast as the processor's ports take
/// them: none waits for another's result. Returns the number of iterations that so many operations would make.
pub fn port_limit(level: Level, rounds: u64) -> u64 {
    at_level(level, PortLimit(rounds))
}

struct PortLimit(u64);

impl AtLevel for PortLimit {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) -> u64 {
        let (factor, summand) = (V::splat(black_box(0.5)), V::splat(black_box(1.0)));
        // As many chains as hide each other's latency and fit into 16 registers.
        let mut products = [V::splat(black_box(0.7)); 6];
        let mut sums = [V::splat(black_box(0.3)); 8];
        for _ in 0..self.0 {
            for product in &mut products {
                *product = *product * factor;
            }
            for sum in &mut sums {
                *sum = *sum + summand;
            }
        }
        for number in products.into_iter().chain(sums) {
            let mut lanes = [0.0; MOST_LANES];
            number.store(&mut lanes);
            black_box(lanes);
        }
        2 * V::LANES as u64 * self.0
    }
}

/// The inner loop of z² + c on orbits that never end, without anything around it. Returns the number of iterations.
pub fn raw_loop(level: Level, blocks: u64) -> u64 {
    at_level(level, RawLoop(blocks))
}

/// Follows the orbits of all pixels of a recipe on this thread; neither colours nor compresses them.
pub fn follow(level: Level, recipe: &Recipe) {
    searches(level, recipe, |search| {
        black_box(search.ends());
    });
}

/// What there is to follow in a recipe. Counting takes its time, too.
pub fn orbits(level: Level, recipe: &Recipe) -> Orbits {
    let mut found = Orbits {
        pixels: 0,
        iterations: 0,
    };
    searches(level, recipe, |search| {
        found.pixels += search.done();
        let counts = search.ends().count.iter();
        found.iterations += counts.map(|&count| u64::from(count)).sum::<u64>();
    });
    found
}

/// Hands out the search of some rows after the other, each once it has come to its end.
fn searches(level: Level, recipe: &Recipe, mut done: impl FnMut(&Search)) {
    let plane = Plane::of(recipe);
    let columns = plane.columns();
    let iteration = formulas::iteration(recipe);
    let mut search: Option<Search> = None;
    let at_once = (128 * 1024 / recipe.width).max(1);
    for first in (0..recipe.height).step_by(at_once as usize) {
        let last = first.saturating_add(at_once).min(recipe.height);
        let rows = plane.rows(first..last);
        let pixels = Pixels::new(&columns, &rows);
        let search = match &mut search {
            Some(search) => {
                search.begin_anew(&pixels);
                search
            }
            none => none.insert(iteration.search(&pixels, false)),
        };
        while !matches!(iteration.go_on(search, level, &pixels, &|| false), Ok(true)) {}
        done(search);
    }
}

/// The pixels of a picture, cut into blocks of rows as they are compressed.
#[derive(Debug)]
pub struct Blocks {
    format: Format,
    width: u32,
    blocks: Vec<Vec<u8>>,
}

impl Blocks {
    /// Of a recipe.
    ///
    /// # Errors
    /// [`RenderError::Cancelled`].
    pub fn new(level: Level, recipe: &Recipe, watch: &Watch) -> Result<Self, RenderError> {
        Self::planned(&Arc::new(Plan::new(recipe, level)), recipe, watch)
    }

    /// Of a recipe whose plan is made already.
    pub(crate) fn planned(
        plan: &Arc<Plan>,
        recipe: &Recipe,
        watch: &Watch,
    ) -> Result<Self, RenderError> {
        let stop = || watch.is_cancelled();
        let blocks = (0..plan.blocks()).map(|block| plan.pixels(block, &stop));
        let blocks: Result<_, Stopped> = blocks.collect();
        Ok(Self {
            format: plan.header().format(),
            width: recipe.width,
            blocks: blocks.map_err(|Stopped| RenderError::Cancelled)?,
        })
    }

    /// Bytes of all pixels.
    pub fn raw_len(&self) -> u64 {
        self.blocks.iter().map(|block| block.len() as u64).sum()
    }

    /// Compresses them, and returns how many bytes that makes.
    pub fn compress(&self) -> u64 {
        let blocks = self.blocks.iter();
        let fragment =
            |block: &Vec<u8>| png::compress_block(self.format, self.width, block, png::Level::Fast);
        blocks.map(|block| fragment(block).bytes.len() as u64).sum()
    }
}
