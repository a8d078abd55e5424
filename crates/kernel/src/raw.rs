//! What the orbits of a picture come to, as numbers.

use crate::colour::{Sampler, time};
use crate::formulas::{self, AnyIteration};
use crate::npy::header;
use crate::plane::Plane;
use crate::pool::{JobError, Piece};
use crate::render::{Abandon, RenderError, Renderer, check};
use crate::search::Stopped;
use crate::simd::Level;
use crate::trail::Wanted;
use crate::watch::Watch;
use faafo_model::Recipe;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Pixels that are worked on in one go, at least a row.
const PIXELS: u32 = 32 * 1024;

impl Renderer {
    /// Writes an array of a recipe's rows and columns as NumPy reads it: of each pixel the number of iterations, 32 bits,
    /// and the continuous escape time, of which the interior has none. Nothing that is said about colours makes a
    /// difference, supersampling neither: a number is that of the pixel's own point. Blocks and takes memory as
    /// [`render`](Self::render) does.
    ///
    /// # Errors
    /// As of [`render`](Self::render).
    pub fn write_npy(
        &self,
        recipe: &Recipe,
        watch: &Watch,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        check(recipe)?;
        out.write_all(&header(recipe))?;
        self.numbers(recipe, 0..recipe.height, watch, out)
    }

    /// Writes the numbers of some rows and nothing else, as [`JoinNpy`](crate::JoinNpy) reads them. The same file comes
    /// of its bands, however it is cut.
    ///
    /// # Errors
    /// As of [`render`](Self::render); [`RenderError::Recipe`] also for rows that the recipe does not have.
    pub fn write_npy_band(
        &self,
        recipe: &Recipe,
        rows: Range<u32>,
        watch: &Watch,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        check(recipe)?;
        if rows.is_empty() || rows.end > recipe.height {
            return Err(RenderError::Recipe("a band is not made of its rows"));
        }
        self.numbers(recipe, rows, watch, out)
    }

    /// Writes the numbers of some rows of a recipe that was checked.
    fn numbers(
        &self,
        recipe: &Recipe,
        band: Range<u32>,
        watch: &Watch,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        watch.begin(u64::from(recipe.width) * band.len() as u64);
        let rows = (PIXELS / recipe.width).max(1);
        let limit = recipe.iterations;
        let plane = Plane::of(recipe);
        let columns = plane.columns();
        let iteration: Arc<dyn AnyIteration> = Arc::from(formulas::iteration(recipe));
        let (level, watched) = (self.level(), watch.clone());
        let abandoned = Abandon::default();
        let abandoned_of_pieces = Arc::clone(&abandoned.0);
        let pieces = band.len().div_ceil(rows as usize);
        let piece = move |index| {
            let first = band.start + index as u32 * rows;
            let rows = first..first.saturating_add(rows).min(band.end);
            let rows = plane.rows(rows);
            Numbers {
                sampler: Sampler::new(&*iteration, columns.clone(), rows, Some(Wanted::End)),
                iteration: Arc::clone(&iteration),
                level,
                limit,
                watch: watched.clone(),
                abandoned: Arc::clone(&abandoned_of_pieces),
            }
        };
        let consume = |rows: Result<Vec<u8>, Stopped>| {
            let rows = rows.map_err(|Stopped| JobError::Stopped)?;
            out.write_all(&rows).map_err(JobError::Consumer)
        };
        self.run(pieces, watch, piece, consume)
    }
}

/// Some rows in the making.
struct Numbers {
    sampler: Sampler,
    iteration: Arc<dyn AnyIteration>,
    level: Level,
    limit: u32,
    watch: Watch,
    abandoned: Arc<AtomicBool>,
}

impl Piece for Numbers {
    type Output = Result<Vec<u8>, Stopped>;

    fn go_on(&mut self) -> Option<Self::Output> {
        let stop = || self.watch.is_cancelled() || self.abandoned.load(Relaxed);
        match self.sampler.go_on(&*self.iteration, self.level, &stop) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(stopped) => return Some(Err(stopped)),
        }
        let mut bytes = Vec::new();
        let mut pixels = 0;
        for (count, mark) in self.sampler.samples() {
            let ended = mark.filter(|_| count < self.limit);
            let time = ended.map_or(f64::NAN, |mark| time(count, mark, self.iteration.degree()));
            bytes.extend_from_slice(&count.to_le_bytes());
            // Not a number has many forms; all machines are to write the same.
            let time = if time.is_nan() { f32::NAN } else { time as f32 };
            bytes.extend_from_slice(&time.to_le_bytes());
            pixels += 1;
        }
        self.watch.advance(pixels);
        Some(Ok(bytes))
    }
}
