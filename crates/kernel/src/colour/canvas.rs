//! Some rows of a picture in the making: one tile after another is sampled, coloured and averaged.

use super::paint::{Paint, Tone};
use super::sampler::Sampler;
use crate::formulas::AnyIteration;
use crate::plane::{Place, Plane};
use crate::search::Stopped;
use crate::simd::Level;
use faafo_picture::png::Format;
use faafo_picture::srgb;
use std::ops::Range;
use std::sync::Arc;

/// The most samples of a tile, unless a pixel has one only.
const MOST_SAMPLES: usize = 65_536;

/// The largest difference of two bytes of colours that look alike.
const ALIKE: u8 = 6;

/// What the rows of a picture have in common.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Turns samples into colours.
    pub paint: Arc<Paint>,
    /// Samples across a pixel, and down.
    pub supersampling: u32,
    /// Whether pixels whose corners look alike get no more samples.
    pub adaptive: bool,
    /// How a pixel is stored.
    pub format: Format,
    /// Where pixels lie.
    pub plane: Plane,
    /// Columns.
    pub width: u32,
}

/// Some whole rows.
pub(crate) struct Canvas {
    rows: Range<u32>,
    /// Where the next tile begins.
    row: u32,
    column: u32,
    tile: Option<Tile>,
    /// Columns of the current row whose pixels need all samples.
    uneven: Vec<u32>,
    pixels: Vec<u8>,
    done: u64,
}

/// Some pixels with their samples.
struct Tile {
    rows: Range<u32>,
    columns: Vec<u32>,
    /// Which samples of a pixel.
    places: Vec<u32>,
    kind: Kind,
    sampler: Sampler,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// All samples of pixels in a row.
    All,
    /// Only the corners.
    Corners,
    /// All samples of uneven pixels.
    Uneven,
}

impl Canvas {
    /// Nothing done yet.
    pub fn new(setting: &Setting, rows: Range<u32>) -> Self {
        let bytes = setting.format.row_bytes(setting.width) * rows.len();
        Self {
            row: rows.start,
            rows,
            column: 0,
            tile: None,
            uneven: Vec::new(),
            pixels: vec![0; bytes],
            done: 0,
        }
    }

    /// How many pixels are done.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// The pixels, once all are done.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pixels)
    }

    /// Goes on for a while; whether all is done.
    pub fn go_on(
        &mut self,
        setting: &Setting,
        iteration: &dyn AnyIteration,
        level: Level,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Stopped> {
        if !setting.paint.prepare(iteration, level, stop)? {
            return Ok(false);
        }
        let mut tile = match self.tile.take().or_else(|| self.next(setting, iteration)) {
            Some(tile) => tile,
            None => return Ok(true),
        };
        if !tile.sampler.go_on(iteration, level, stop)? {
            self.tile = Some(tile);
            return Ok(false);
        }
        self.finish(setting, &tile);
        Ok(self.row == self.rows.end && self.uneven.is_empty())
    }

    /// The next tile, if there is one left.
    fn next(&mut self, setting: &Setting, iteration: &dyn AnyIteration) -> Option<Tile> {
        let all = setting.supersampling;
        let (kind, rows, columns, places): (_, _, Vec<u32>, Vec<u32>);
        if self.column == setting.width {
            // The row is through but for some of its pixels.
            let most = (MOST_SAMPLES / (all * all) as usize).clamp(1, self.uneven.len());
            (kind, rows) = (Kind::Uneven, self.row..self.row + 1);
            columns = self.uneven.drain(..most).collect();
            places = (0..all).collect();
        } else if self.row == self.rows.end {
            return None;
        } else if all == 1 {
            (kind, rows) = (Kind::All, self.row..self.rows.end);
            columns = (0..setting.width).collect();
            places = vec![0];
            self.column = setting.width;
        } else {
            (kind, places) = match setting.adaptive {
                true => (Kind::Corners, vec![0, all - 1]),
                false => (Kind::All, (0..all).collect()),
            };
            let most = MOST_SAMPLES / (places.len() * places.len());
            let to = setting.width.min(self.column + most as u32);
            (rows, columns) = (self.row..self.row + 1, (self.column..to).collect());
            self.column = to;
        }
        let samples = |pixel| {
            let of = all;
            let samples = places.iter();
            samples.map(move |&sample| Place { pixel, sample, of })
        };
        let plane = &setting.plane;
        let across = plane.sampled_columns(columns.iter().copied().flat_map(samples));
        let down = plane.sampled_rows(rows.clone().flat_map(samples));
        Some(Tile {
            sampler: Sampler::new(iteration, across, down, setting.paint.wanted()),
            rows,
            columns,
            places,
            kind,
        })
    }

    /// Colours the pixels of a tile whose samples are known.
    fn finish(&mut self, setting: &Setting, tile: &Tile) {
        let samples = tile.sampler.samples();
        let tones: Vec<Tone> = samples
            .map(|(count, mark)| setting.paint.tone(count, mark))
            .collect();
        let side = tile.places.len();
        let stride = side * tile.columns.len();
        let mut done = 0;
        for row in tile.rows.clone() {
            let first = (row - tile.rows.start) as usize * side * stride;
            for (index, &column) in tile.columns.iter().enumerate() {
                let corner = first + index * side;
                if side == 1 {
                    self.put_single(setting, row, column, tones[corner]);
                    done += 1;
                    continue;
                }
                let lines = (0..side).map(|line| corner + line * stride);
                let lights = lines.flat_map(|at| &tones[at..at + side]);
                let lights = lights.map(|&tone| setting.paint.light_of(tone));
                if tile.kind == Kind::Corners && !alike(lights.clone()) {
                    self.uneven.push(column);
                } else {
                    self.put(setting, row, column, average(lights, side * side));
                    done += 1;
                }
            }
        }
        self.done += done;
        if self.column == setting.width && self.uneven.is_empty() {
            (self.row, self.column) = (tile.rows.end, 0);
        }
    }

    /// A pixel of one sample.
    fn put_single(&mut self, setting: &Setting, row: u32, column: u32, tone: Tone) {
        let paint = &setting.paint;
        let at = self.place(setting, row, column);
        match setting.format {
            Format::Indexed8 => self.pixels[at] = paint.index(tone),
            Format::Rgb8 if paint.is_even() => {
                self.pixels[at..at + 3].copy_from_slice(&paint.bytes(tone));
            }
            _ => self.put(setting, row, column, paint.light_of(tone)),
        }
    }

    fn put(&mut self, setting: &Setting, row: u32, column: u32, light: [f32; 3]) {
        let at = self.place(setting, row, column);
        let pixel = &mut self.pixels[at..];
        match setting.format {
            Format::Rgb16 => {
                let wide = light.map(|channel| srgb::wide(channel).to_be_bytes());
                pixel[..6].copy_from_slice(wide.as_flattened());
            }
            _ => pixel[..3].copy_from_slice(&light.map(srgb::byte)),
        }
    }

    fn place(&self, setting: &Setting, row: u32, column: u32) -> usize {
        let rows = (row - self.rows.start) as usize;
        rows * setting.format.row_bytes(setting.width)
            + column as usize * setting.format.bytes_per_pixel()
    }
}

/// The average of so many lights.
fn average(lights: impl Iterator<Item = [f32; 3]>, count: usize) -> [f32; 3] {
    let sum = lights.fold([0.0; 3], |sum: [f32; 3], light| {
        std::array::from_fn(|channel| sum[channel] + light[channel])
    });
    sum.map(|channel| channel / count as f32)
}

/// Whether nobody sees a difference.
fn alike(mut lights: impl Iterator<Item = [f32; 3]>) -> bool {
    let bytes = |light: [f32; 3]| light.map(srgb::byte);
    let Some(first) = lights.next().map(bytes) else {
        return true;
    };
    lights.map(bytes).all(|other| {
        let mut channels = first.iter().zip(other);
        channels.all(|(a, b)| a.abs_diff(b) <= ALIKE)
    })
}
