//! A block of whole rows, from recipe to compressed bytes: a pure function, run on any thread, a little at a time.

use crate::orbit::{self, Complex, Iteration, MAX_STEPS, Segment, Stopped};
use crate::palette::{aurora, classic};
use crate::plane::Axis;
use faafo_model::{Palette, recipe::Recipe};
use faafo_picture::png::{self, Format, Fragment, Header, Level};
use faafo_picture::thumbnail::{MAX_SIDE, Scale, Strip};
use std::ops::Range;
use std::sync::Arc;

/// All that the blocks of one picture have in common.
#[derive(Debug)]
pub(crate) struct Plan {
    width: u32,
    height: u32,
    across: Axis,
    down: Axis,
    iteration: Iteration,
    palette: Palette,
    format: Format,
    rows_per_block: u32,
    scale: Arc<Scale>,
}

/// What became of a block.
#[derive(Debug)]
pub(crate) struct Block {
    /// Its part of the PNG.
    pub fragment: Fragment,
    /// Its part of the thumbnail.
    pub strip: Strip,
}

/// A block in the making.
pub(crate) struct Work {
    plan: Arc<Plan>,
    rows: Range<u32>,
    /// The first column of the first row that has not been done.
    column: u32,
    pixels: Vec<u8>,
    strip: Strip,
    segment: Segment,
}

impl Work {
    /// Nothing done yet.
    pub fn new(plan: &Arc<Plan>, block: u32) -> Self {
        let rows = plan.rows(block);
        let bytes = rows.len() * plan.format.row_bytes(plan.width);
        Self {
            plan: Arc::clone(plan),
            rows,
            column: 0,
            pixels: Vec::with_capacity(bytes),
            strip: Strip::new(&plan.scale),
            segment: Segment::default(),
        }
    }

    /// Goes on for up to about 100 ms and gives the block once it is done. Asks `stop` about every millisecond and
    /// tells `advance` how many pixels are finished.
    pub fn go_on(
        &mut self,
        stop: &dyn Fn() -> bool,
        advance: &dyn Fn(u64),
    ) -> Result<Option<Block>, Stopped> {
        let mut steps = 0u64;
        while !self.rows.is_empty() {
            if steps >= u64::from(MAX_STEPS) {
                return Ok(None);
            }
            self.next_segment(stop)?;
            advance(self.segment.x.len() as u64);
            let counts = self.segment.count.iter();
            steps += counts.map(|&count| u64::from(count)).sum::<u64>();
        }
        if stop() {
            return Err(Stopped);
        }
        let plan = &self.plan;
        let pixels = std::mem::take(&mut self.pixels);
        Ok(Some(Block {
            fragment: png::compress_block(plan.format, plan.width, &pixels, Level::Fast),
            strip: std::mem::replace(&mut self.strip, Strip::new(&plan.scale)),
        }))
    }

    fn next_segment(&mut self, stop: &dyn Fn() -> bool) -> Result<(), Stopped> {
        let (plan, y) = (&*self.plan, self.rows.start);
        let end = self.column.saturating_add(plan.iteration.segment());
        let columns = self.column..end.min(plan.width);
        self.column = columns.end;
        let points = columns.map(|x| plan.across.at(x));
        self.segment.place(plan.down.at(y), points);
        orbit::run(&plan.iteration, &mut self.segment, stop)?;
        plan.colour(&self.segment, &mut self.pixels);
        if self.column == plan.width {
            let row = self.pixels.len() - plan.format.row_bytes(plan.width);
            plan.shrink(y, &self.pixels[row..], &mut self.strip);
            self.column = 0;
            self.rows.start += 1;
        }
        Ok(())
    }
}

impl Plan {
    /// Of a recipe whose sides and iterations are at least 1.
    pub fn new(recipe: &Recipe) -> Self {
        let (width, height, view) = (recipe.width, recipe.height, recipe.view);
        let format = match recipe.palette {
            Palette::Aurora => Format::Rgb8,
            Palette::Classic => Format::Indexed8,
        };
        Self {
            width,
            height,
            across: Axis::new(view.xa, view.xb, width),
            down: Axis::new(view.ya, view.yb, height),
            iteration: Iteration::of(recipe),
            palette: recipe.palette,
            format,
            rows_per_block: png::rows_per_block(format, width),
            scale: Arc::new(Scale::new(width, height, MAX_SIDE)),
        }
    }

    /// The PNG's header.
    pub fn header(&self) -> Header {
        match self.palette {
            Palette::Aurora => Header::rgb(self.width, self.height),
            Palette::Classic => Header::indexed(self.width, self.height, &classic::TABLE),
        }
    }

    /// The thumbnail's geometry.
    pub fn scale(&self) -> &Arc<Scale> {
        &self.scale
    }

    /// The number of blocks, at least 1.
    pub fn blocks(&self) -> u32 {
        self.height.div_ceil(self.rows_per_block)
    }

    /// The rows of a block.
    fn rows(&self, block: u32) -> Range<u32> {
        let first = block * self.rows_per_block;
        first..first.saturating_add(self.rows_per_block).min(self.height)
    }

    /// Appends the segment's pixels.
    fn colour(&self, segment: &Segment, pixels: &mut Vec<u8>) {
        let limit = self.iteration.limit;
        match self.palette {
            Palette::Classic => {
                let counts = segment.count.iter();
                pixels.extend(counts.map(|&count| classic::index(count, limit)));
            }
            Palette::Aurora => {
                for (index, &count) in segment.count.iter().enumerate() {
                    let colour = if count == limit {
                        aurora::INTERIOR
                    } else {
                        let (_, c) = self.iteration.start(segment.x[index], segment.y);
                        let z = Complex {
                            re: segment.re[index],
                            im: segment.im[index],
                        };
                        aurora::colour(count, z, c)
                    };
                    pixels.extend_from_slice(&colour);
                }
            }
        }
    }

    fn shrink(&self, y: u32, row: &[u8], strip: &mut Strip) {
        match self.palette {
            Palette::Classic => strip.add_row(y, |x| classic::TABLE[usize::from(row[x])]),
            Palette::Aurora => {
                let (colours, _) = row.as_chunks::<3>();
                strip.add_row(y, |x| colours[x]);
            }
        }
    }
}
