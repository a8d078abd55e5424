//! What the orbits of a picture come to, as numbers: NumPy's file format.
//! Source: numpy.lib.format, "Format Version 1.0".

use crate::colour::{Sampler, time};
use crate::formulas::{self, AnyIteration};
use crate::plane::Axis;
use crate::pool::{JobError, Piece};
use crate::render::{RenderError, Renderer, check};
use crate::search::Stopped;
use crate::simd::Level;
use crate::trail::Wanted;
use crate::watch::Watch;
use faafo_model::Recipe;
use std::io::Write;
use std::sync::Arc;

/// Pixels that are worked on in one go, at least a row.
const PIXELS: u32 = 32 * 1024;

impl Renderer {
    /// Writes an array of a recipe's rows and columns: of each pixel the number of iterations, 32 bits, and the
    /// continuous escape time, of which the interior has none. Neither palette nor supersampling makes a difference.
    pub fn write_npy(
        &self,
        recipe: &Recipe,
        watch: &Watch,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        check(recipe)?;
        watch.begin(u64::from(recipe.width) * u64::from(recipe.height));
        out.write_all(&header(recipe))?;
        let rows = (PIXELS / recipe.width).max(1);
        let axis = Axis::new(recipe.view.xa, recipe.view.xb, recipe.width);
        let (height, limit) = (recipe.height, recipe.iterations);
        let across: Vec<f64> = (0..recipe.width).map(|x| axis.at(x)).collect();
        let down = Axis::new(recipe.view.ya, recipe.view.yb, height);
        let iteration: Arc<dyn AnyIteration> = Arc::from(formulas::iteration(recipe));
        let (level, watched) = (self.level(), watch.clone());
        let piece = move |index| {
            let first = index as u32 * rows;
            let rows = first..first.saturating_add(rows).min(height);
            let rows = rows.map(|y| down.at(y)).collect();
            Numbers {
                sampler: Sampler::new(&*iteration, across.clone(), rows, Some(Wanted::End)),
                iteration: Arc::clone(&iteration),
                level,
                limit,
                watch: watched.clone(),
            }
        };
        let consume = |rows: Result<Vec<u8>, Stopped>| {
            let rows = rows.map_err(|Stopped| JobError::Stopped)?;
            out.write_all(&rows).map_err(JobError::Consumer)
        };
        let pieces = height.div_ceil(rows) as usize;
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
}

impl Piece for Numbers {
    type Output = Result<Vec<u8>, Stopped>;

    fn go_on(&mut self) -> Option<Self::Output> {
        let stop = || self.watch.is_cancelled();
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

/// The magic word, the version and what the numbers are, filled up to a multiple of 64 bytes.
fn header(recipe: &Recipe) -> Vec<u8> {
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    let (rows, columns) = (recipe.height, recipe.width);
    let mut text = format!(
        "{{'descr': [('iterations', '<u4'), ('time', '<f4')], 'fortran_order': False, 'shape': ({rows}, {columns})}}"
    );
    let len = (MAGIC.len() + 2 + text.len() + 1).next_multiple_of(64) - MAGIC.len() - 2;
    text.push_str(&" ".repeat(len - text.len() - 1));
    text.push('\n');
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&(text.len() as u16).to_le_bytes());
    header.extend_from_slice(text.as_bytes());
    header
}
