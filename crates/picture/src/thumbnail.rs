//! Thumbnails: area averages in linear light, from rows as they come.
//!
//! All sums are integers, so the bytes are the same on every platform and however the picture was cut into strips.

mod axis;
mod stored;

use crate::png::{self, Header, Level};
use crate::srgb::SRGB;
use axis::Axis;
use std::io;
use std::sync::Arc;

/// The longest side of a thumbnail unless something else is asked for, in pixels.
pub const MAX_SIDE: u32 = 300;

/// Beyond this the sums of a row could overflow.
const LARGEST_MAX_SIDE: u32 = 8192;

/// The geometry of one thumbnail, which any number of threads may share to sum up [`Strip`]s.
#[derive(Debug)]
pub struct Scale {
    across: Axis,
    down: Axis,
}

impl Scale {
    /// How a picture of that size becomes one whose longer side is at most `max_side` (1..=8192): aspect kept, at least
    /// 1 pixel a side. A picture that is small enough keeps its size.
    pub fn new(width: u32, height: u32, max_side: u32) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        let max_side = max_side.clamp(1, LARGEST_MAX_SIDE);
        let longest = width.max(height);
        let shrink = |side: u32| {
            let scaled = u64::from(side) * u64::from(max_side) + u64::from(longest) / 2;
            (scaled / u64::from(longest)).max(1) as u32
        };
        let (to_width, to_height) = if longest <= max_side {
            (width, height)
        } else {
            (shrink(width), shrink(height))
        };
        Self {
            across: Axis::new(width, to_width),
            down: Axis::new(height, to_height),
        }
    }

    /// Width and height of the thumbnail.
    pub fn size(&self) -> (u32, u32) {
        (self.across.cells(), self.down.cells())
    }

    /// Whether row `y` of the picture counts; of a large picture only a regular sample does.
    pub fn wants(&self, y: u32) -> bool {
        self.down.sample_at(y).is_some()
    }
}

/// The sums of some adjacent rows of a picture.
#[derive(Debug)]
pub struct Strip {
    scale: Arc<Scale>,
    first_row: u32,
    /// Weighted sums of red, green and blue: from thumbnail row `first_row` on, `across.cells()` each.
    sums: Vec<[u64; 3]>,
    /// One picture row's sums, kept to save its allocation.
    row: Vec<[u32; 3]>,
}

impl Strip {
    /// No rows yet.
    pub fn new(scale: &Arc<Scale>) -> Self {
        Self {
            scale: Arc::clone(scale),
            first_row: 0,
            sums: Vec::new(),
            row: vec![[0; 3]; scale.across.cells() as usize],
        }
    }

    /// Adds row `y`; rows come in order, and those that the scale does not want may be left out. `pixel` gives the
    /// colour at a column.
    pub fn add_row(&mut self, y: u32, pixel: impl Fn(usize) -> [u8; 3]) {
        let Some(sample) = self.scale.down.sample_at(y) else {
            return;
        };
        let srgb = &*SRGB;
        self.row.fill([0; 3]);
        for tap in self.scale.across.taps() {
            let light = pixel(tap.source as usize).map(|byte| u32::from(srgb.linear(byte)));
            let cell = tap.cell as usize;
            accumulate(&mut self.row[cell], light, tap.weight);
            if tap.weight_next > 0 {
                accumulate(&mut self.row[cell + 1], light, tap.weight_next);
            }
        }
        let tap = self.scale.down.taps()[sample];
        self.add_sums(tap.cell, tap.weight);
        if tap.weight_next > 0 {
            self.add_sums(tap.cell + 1, tap.weight_next);
        }
    }

    /// Adds the sums of the strip below this one.
    pub fn append(&mut self, next: &Strip) {
        let width = self.row.len();
        if next.sums.is_empty() {
            return;
        }
        if self.sums.is_empty() {
            self.first_row = next.first_row;
        }
        let start = next.first_row.saturating_sub(self.first_row) as usize * width;
        if self.sums.len() < start + next.sums.len() {
            self.sums.resize(start + next.sums.len(), [0; 3]);
        }
        for (sum, more) in self.sums[start..].iter_mut().zip(&next.sums) {
            for channel in 0..3 {
                sum[channel] += more[channel];
            }
        }
    }

    /// Adds the sums in `row`, weighted, to a row of the thumbnail.
    fn add_sums(&mut self, to_row: u32, weight: u32) {
        if self.sums.is_empty() {
            self.first_row = to_row;
        }
        let width = self.row.len();
        let start = (to_row - self.first_row) as usize * width;
        if self.sums.len() < start + width {
            self.sums.resize(start + width, [0; 3]);
        }
        for (sum, row) in self.sums[start..].iter_mut().zip(&self.row) {
            for channel in 0..3 {
                sum[channel] += u64::from(row[channel]) * u64::from(weight);
            }
        }
    }
}

#[inline]
fn accumulate(sums: &mut [u32; 3], light: [u32; 3], weight: u32) {
    for channel in 0..3 {
        sums[channel] += light[channel] * weight;
    }
}

/// Makes a thumbnail from strips or single rows, in order; holds one row of sums and the thumbnail itself.
#[derive(Debug)]
pub struct Downscaler {
    scale: Arc<Scale>,
    /// The row of the thumbnail that still gets sums.
    open_row: u32,
    open: Vec<[u64; 3]>,
    pixels: Vec<u8>,
}

impl Downscaler {
    /// A thumbnail of a picture of that size, its longer side at most `max_side`.
    pub fn new(width: u32, height: u32, max_side: u32) -> Self {
        Self::with_scale(&Arc::new(Scale::new(width, height, max_side)))
    }

    /// A thumbnail from strips that share this scale.
    pub fn with_scale(scale: &Arc<Scale>) -> Self {
        Self {
            scale: Arc::clone(scale),
            open_row: 0,
            open: vec![[0; 3]; scale.across.cells() as usize],
            pixels: Vec::new(),
        }
    }

    /// Adds row `y` of red, green, blue bytes.
    pub fn add_row(&mut self, y: u32, rgb: &[u8]) {
        if self.scale.wants(y) {
            let mut strip = Strip::new(&self.scale);
            strip.add_row(y, |x| [rgb[3 * x], rgb[3 * x + 1], rgb[3 * x + 2]]);
            self.add(&strip);
        }
    }

    /// Adds the next strip.
    pub fn add(&mut self, strip: &Strip) {
        for (row, sums) in (strip.first_row..).zip(strip.sums.chunks_exact(self.open.len())) {
            while self.open_row < row {
                self.close_row();
            }
            for (open, sums) in self.open.iter_mut().zip(sums) {
                for channel in 0..3 {
                    open[channel] += sums[channel];
                }
            }
        }
    }

    /// The thumbnail as a PNG.
    pub fn finish(mut self) -> io::Result<Vec<u8>> {
        let (width, height) = self.scale.size();
        while self.open_row < height {
            self.close_row();
        }
        png::encode(&Header::rgb(width, height), &self.pixels, Level::Small)
    }

    fn close_row(&mut self) {
        let srgb = &*SRGB;
        let weight = self.scale.across.cell_weight() * self.scale.down.cell_weight();
        for sums in &mut self.open {
            let light = sums.map(|sum| srgb.byte(((sum + weight / 2) / weight) as u16));
            self.pixels.extend_from_slice(&light);
            *sums = [0; 3];
        }
        self.open_row += 1;
    }
}
