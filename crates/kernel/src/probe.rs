//! How much work a picture will be, from a sparse sample of it: which rows take how long, and how many bytes come of it.

use crate::block::Plan;
use crate::measure::Blocks;
use crate::npy::npy_len;
use crate::plane::Plane;
use crate::render::check;
use crate::{Level, RenderError, Watch};
use faafo_model::{Colours, Format, Palette, Recipe};
use std::ops::Range;
use std::sync::Arc;

/// Sampled rows and pixels of each, of ever denser samples.
const SAMPLES: [(u32, u32); 4] = [(16, 64), (32, 256), (64, 1024), (128, 4096)];
/// Places where some rows are compressed.
const PLACES: u32 = 16;
/// Pixels compressed at each place, at least and at most.
const PLACE: Range<f64> = 64.0..16_384.0;
/// The seconds of one core that a band takes, at least and at most, as long as there are not too many bands: what is
/// lost with a worker should be little, and so should what the last band keeps all waiting for.
const BAND_SECONDS: Range<f64> = 1.0..4.0;
/// So many bands share a picture well among many cores.
const ENOUGH_BANDS: f64 = 50.0;
/// More bands than this are not made for the sake of time, nor for that of area.
const MANY_BANDS: u32 = 400;

/// What is known of a picture before it is rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    width: u32,
    height: u32,
    rows_per_block: u32,
    /// Seconds of one core for a row, at equal distances from top to bottom.
    rows: Vec<f64>,
    bytes: u64,
}

/// A band to be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// Its rows; whole blocks.
    pub rows: u32,
    /// Seconds that one core will take, about.
    pub seconds: f64,
}

/// Looks at a recipe on this thread for about `budget` seconds at most. `clock` tells the seconds that this thread has
/// worked. What it yields is a measurement: it differs a little each time.
///
/// # Errors
/// [`RenderError::Recipe`] for a recipe that no picture can be made from, [`RenderError::Cancelled`].
pub fn probe(
    level: Level,
    recipe: &Recipe,
    budget: f64,
    clock: &dyn Fn() -> f64,
    watch: &Watch,
) -> Result<Probe, RenderError> {
    check(recipe)?;
    let format = recipe.format;
    let recipe = &looked_at(recipe);
    let plan = Plan::new(recipe, level);
    let mut rows = Vec::new();
    for (number, pixels) in SAMPLES {
        let begun = clock();
        rows = sampled_rows(&plan, recipe, (number, pixels), clock, watch)?;
        // The next sample has eight times as many pixels.
        if 8.0 * (clock() - begun) > budget {
            break;
        }
    }
    let per_pixel = rows.iter().sum::<f64>() / rows.len() as f64 / f64::from(recipe.width);
    let (deflating, bytes) = match format {
        Format::Png => {
            let (seconds, bytes) = compressed(&plan, recipe, per_pixel, budget, clock, watch)?;
            let pixels = f64::from(recipe.width) * f64::from(recipe.height);
            (seconds, (bytes * pixels) as u64)
        }
        Format::Npy => (0.0, npy_len(recipe)),
    };
    for row in &mut rows {
        *row += deflating * f64::from(recipe.width);
    }
    Ok(Probe {
        width: recipe.width,
        height: recipe.height,
        rows_per_block: plan.rows_per_block(),
        rows,
        bytes,
    })
}

/// What is rendered to learn how long the recipe takes: the recipe itself or, of numbers, a picture whose samples they
/// are.
fn looked_at(recipe: &Recipe) -> Recipe {
    match recipe.format {
        Format::Png => recipe.clone(),
        // The colours of any palette but the first two come from samples.
        Format::Npy => Recipe {
            palette: Palette::Viridis,
            colours: Colours::default(),
            ..recipe.clone()
        },
    }
}

/// Seconds for each of some rows, of which only some pixels are looked at.
fn sampled_rows(
    plan: &Plan,
    recipe: &Recipe,
    (number, pixels): (u32, u32),
    clock: &dyn Fn() -> f64,
    watch: &Watch,
) -> Result<Vec<f64>, RenderError> {
    let (number, pixels) = (number.min(recipe.height), pixels.min(recipe.width));
    let scale = f64::from(recipe.width) / f64::from(pixels);
    let plane = Plane::of(recipe);
    let line = |index: u32| {
        let y = (f64::from(index) + 0.5) / f64::from(number);
        let line = Recipe {
            width: pixels,
            height: 1,
            ..recipe.clone()
        };
        let place = plane.part(0.0..1.0, y..y, pixels, 1);
        let plan = Arc::new(plan.of_part(&line, place));
        let begun = clock();
        Blocks::planned(&plan, &line, watch)?;
        Ok((clock() - begun).max(1e-9) * scale)
    };
    (0..number).map(line).collect()
}

/// Seconds and bytes that compressing a pixel takes, from places all over the picture. Pixels take `per_pixel` seconds
/// before.
fn compressed(
    plan: &Plan,
    recipe: &Recipe,
    per_pixel: f64,
    budget: f64,
    clock: &dyn Fn() -> f64,
    watch: &Watch,
) -> Result<(f64, f64), RenderError> {
    let pixels = (budget / f64::from(PLACES) / per_pixel).clamp(PLACE.start, PLACE.end) as u32;
    // As square as the picture allows: most of what deflate finds is beside or above.
    let width = recipe.width.min(pixels);
    let height = (pixels / width).clamp(1, recipe.height);
    let (mut seconds, mut bytes) = (0.0, 0);
    let plane = Plane::of(recipe);
    for place in 0..PLACES {
        // Steps of the golden ratio fall everywhere.
        let (x, y) = (
            (f64::from(place) * 0.618_034).fract(),
            (f64::from(place) + 0.5) / f64::from(PLACES),
        );
        let span = |part: f64, from: u32, of: u32| {
            let share = f64::from(from) / f64::from(of);
            let start = part * (1.0 - share);
            start..start + share
        };
        let (right, down) = (span(x, width, recipe.width), span(y, height, recipe.height));
        let part = Recipe {
            width,
            height,
            ..recipe.clone()
        };
        let place = plane.part(right, down, width, height);
        let plan = Arc::new(plan.of_part(&part, place));
        let blocks = Blocks::planned(&plan, &part, watch)?;
        let begun = clock();
        bytes += blocks.compress();
        seconds += (clock() - begun).max(0.0);
    }
    let all = f64::from(PLACES) * f64::from(width) * f64::from(height);
    Ok((seconds / all, bytes as f64 / all))
}

impl Probe {
    /// Seconds that one core will take for the picture, about.
    pub fn seconds(&self) -> f64 {
        self.rows.iter().sum::<f64>() / self.rows.len() as f64 * f64::from(self.height)
    }

    /// Bytes that the picture will have, about; those of numbers are known.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bands from top to bottom: equal shares of the work as far as blocks allow, a few seconds each, of at most
    /// `most_pixels` each unless that would be very many.
    pub fn cuts(&self, most_pixels: u64) -> Vec<Cut> {
        let seconds = (self.seconds() / ENOUGH_BANDS).clamp(BAND_SECONDS.start, BAND_SECONDS.end);
        let seconds = seconds.max(self.seconds() / f64::from(MANY_BANDS));
        let area = u64::from(self.width) * u64::from(self.height);
        let most_rows = most_pixels.max(area / u64::from(MANY_BANDS)) / u64::from(self.width);
        let most_rows = u32::try_from(most_rows).unwrap_or(u32::MAX);
        let mut cuts = Vec::new();
        let mut cut = Cut {
            rows: 0,
            seconds: 0.0,
        };
        for first in (0..self.height).step_by(self.rows_per_block as usize) {
            let rows = self.rows_per_block.min(self.height - first);
            let work = self.row_at(f64::from(first) + f64::from(rows) / 2.0) * f64::from(rows);
            let is_full = cut.rows.saturating_add(rows) > most_rows;
            // Half of what would be too much is on the one side, half on the other.
            if cut.rows > 0 && (is_full || cut.seconds + work / 2.0 > seconds) {
                cuts.push(cut);
                cut = Cut {
                    rows: 0,
                    seconds: 0.0,
                };
            }
            cut.rows += rows;
            cut.seconds += work;
        }
        cuts.push(cut);
        cuts
    }

    /// Seconds for the row at `y`, between those that were looked at.
    fn row_at(&self, y: f64) -> f64 {
        let last = self.rows.len() - 1;
        let place = y / f64::from(self.height) * self.rows.len() as f64 - 0.5;
        let place = place.clamp(0.0, last as f64);
        let above = place as usize;
        let below = (above + 1).min(last);
        let (above_it, below_it) = (self.rows[above], self.rows[below]);
        above_it + (below_it - above_it) * (place - above as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of which each row takes as many seconds as `rows` say, spread over its height.
    fn known(width: u32, height: u32, rows: &[f64]) -> Probe {
        Probe {
            width,
            height,
            rows_per_block: 2,
            rows: rows.to_vec(),
            bytes: 7,
        }
    }

    fn rows_of(cuts: &[Cut]) -> u32 {
        cuts.iter().map(|cut| cut.rows).sum()
    }

    #[test]
    fn bands_have_equal_work_and_not_equal_heights() {
        let probe = known(100, 20_001, &[0.001, 0.019]);
        let cuts = probe.cuts(u64::MAX);
        assert_eq!(rows_of(&cuts), 20_001);
        assert!((40..=60).contains(&cuts.len()), "{}", cuts.len());
        let (last, whole) = cuts.split_last().unwrap();
        assert!(last.seconds < 5.0);
        for cut in whole {
            assert!((cut.seconds - 4.0).abs() < 0.1, "{cut:?}");
            assert!(cut.rows.is_multiple_of(2));
        }
        assert!(cuts[0].rows > 5 * cuts[cuts.len() - 2].rows);
    }

    #[test]
    fn no_band_has_more_pixels_than_may_be_and_there_are_never_very_many() {
        let cuts = known(100, 1000, &[1e-6]).cuts(5000);
        assert_eq!((cuts.len(), rows_of(&cuts)), (20, 1000));
        assert!(known(100, 1_000_000, &[1e-6]).cuts(1).len() <= 400);
        assert!(known(100, 1_000_000, &[1.0]).cuts(u64::MAX).len() <= 410);
        assert_eq!(known(100, 1, &[1.0]).cuts(1).len(), 1);
    }
}
