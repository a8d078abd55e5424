//! One dimension of a thumbnail: which source pixels count, and how much for which cell.

/// Source pixels sampled for each cell at most; all of them where there are fewer.
const SAMPLES_PER_CELL: u32 = 8;

/// A sampled source pixel and the cells it lies in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tap {
    /// Index of the source pixel.
    pub source: u32,
    /// The first cell that it overlaps.
    pub cell: u32,
    /// Its share in that cell.
    pub weight: u32,
    /// Its share in the cell after that, often 0.
    pub weight_next: u32,
}

/// From source pixels to the cells of a thumbnail.
#[derive(Debug)]
pub(super) struct Axis {
    cells: u32,
    taps: Vec<Tap>,
}

impl Axis {
    /// An axis of `source` pixels, to be shown by `cells` ≤ `source` ones.
    pub fn new(source: u32, cells: u32) -> Self {
        let samples = source.min(cells.saturating_mul(SAMPLES_PER_CELL));
        // In units in which a sample is `cells` long and a cell is `samples` long, every border is an integer.
        let taps = (0..samples).map(|sample| {
            let from = u64::from(sample) * u64::from(cells);
            let cell = from / u64::from(samples);
            let border = (cell + 1) * u64::from(samples);
            let weight = u64::from(cells).min(border - from) as u32;
            Tap {
                source: source_of(sample, samples, source),
                cell: cell as u32,
                weight,
                weight_next: cells - weight,
            }
        });
        Self {
            cells,
            taps: taps.collect(),
        }
    }

    /// The number of cells.
    pub fn cells(&self) -> u32 {
        self.cells
    }

    /// The sampled source pixels, in order.
    pub fn taps(&self) -> &[Tap] {
        &self.taps
    }

    /// The sum of all weights in one cell.
    pub fn cell_weight(&self) -> u64 {
        self.taps.len() as u64
    }

    /// Which sample source pixel `position` is, if it is one.
    pub fn sample_at(&self, position: u32) -> Option<usize> {
        self.taps
            .binary_search_by_key(&position, |tap| tap.source)
            .ok()
    }
}

/// The pixel at the middle of a sample's stretch of the source.
fn source_of(sample: u32, samples: u32, source: u32) -> u32 {
    let doubled = (2 * u64::from(sample) + 1) * u64::from(source);
    (doubled / (2 * u64::from(samples))) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_the_same_weight() {
        for (source, cells) in [
            (1, 1),
            (300, 300),
            (301, 300),
            (1000, 7),
            (9999, 300),
            (70_000, 1),
        ] {
            let axis = Axis::new(source, cells);
            let mut weights = vec![0u64; cells as usize + 1];
            for tap in axis.taps() {
                weights[tap.cell as usize] += u64::from(tap.weight);
                weights[tap.cell as usize + 1] += u64::from(tap.weight_next);
            }
            assert_eq!(weights.pop(), Some(0));
            assert!(weights.iter().all(|weight| *weight == axis.cell_weight()));
        }
    }

    #[test]
    fn a_sample_is_found_again_by_its_pixel() {
        for (source, cells) in [
            (1, 1),
            (299, 299),
            (301, 300),
            (3000, 300),
            (9999, 300),
            (u32::MAX, 300),
        ] {
            let axis = Axis::new(source, cells);
            for (sample, tap) in axis.taps().iter().enumerate() {
                assert_eq!(axis.sample_at(tap.source), Some(sample));
            }
        }
    }
}
