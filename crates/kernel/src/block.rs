//! A block of whole rows, from recipe to compressed bytes: a pure function, run on any thread, a little at a time.

use crate::formulas::{self, AnyIteration};
use crate::palette::{aurora, classic};
use crate::plane::Axis;
use crate::search::{Ends, Pixels, Search, Stopped};
use crate::simd::{Level, MOST_LANES};
use faafo_model::{Palette, recipe::Recipe};
use faafo_picture::png::{self, Format, Fragment, Header};
use faafo_picture::thumbnail::{MAX_SIDE, Scale, Strip};
use std::ops::Range;
use std::sync::Arc;

/// All that the blocks of one picture have in common.
#[derive(Debug)]
pub(crate) struct Plan {
    width: u32,
    height: u32,
    /// Real part of each column, and some more for vectors to reach into.
    across: Vec<f64>,
    down: Axis,
    iteration: Box<dyn AnyIteration>,
    limit: u32,
    level: Level,
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
    /// Imaginary part of each row.
    down: Vec<f64>,
    search: Search,
    advanced: u64,
}

impl Work {
    /// Nothing done yet.
    pub fn new(plan: &Arc<Plan>, block: u32) -> Self {
        let rows = plan.rows(block);
        let down: Vec<f64> = rows.clone().map(|y| plan.down.at(y)).collect();
        let pixels = Pixels {
            across: &plan.across,
            down: &down,
        };
        let want_z = plan.palette == Palette::Aurora;
        let search = plan.iteration.search(&pixels, want_z);
        Self {
            plan: Arc::clone(plan),
            rows,
            down,
            search,
            advanced: 0,
        }
    }

    /// Goes on for up to about 100 ms and gives the block once it is done. Asks `stop` about every millisecond and
    /// tells `advance` how many pixels are finished.
    pub fn go_on(
        &mut self,
        stop: &dyn Fn() -> bool,
        advance: &dyn Fn(u64),
    ) -> Result<Option<Block>, Stopped> {
        let plan = &*self.plan;
        let pixels = Pixels {
            across: &plan.across,
            down: &self.down,
        };
        let all = plan
            .iteration
            .go_on(&mut self.search, plan.level, &pixels, stop)?;
        let done = self.search.done();
        advance(done - self.advanced);
        self.advanced = done;
        if !all {
            return Ok(None);
        }
        if stop() {
            return Err(Stopped);
        }
        let pixels = plan.colour(&pixels, self.search.ends());
        let mut strip = Strip::new(&plan.scale);
        let rows = pixels.chunks_exact(plan.format.row_bytes(plan.width));
        for (y, row) in self.rows.clone().zip(rows) {
            plan.shrink(y, row, &mut strip);
        }
        Ok(Some(Block {
            fragment: png::compress_block(plan.format, plan.width, &pixels, png::Level::Fast),
            strip,
        }))
    }
}

impl Plan {
    /// Of a recipe whose sides and iterations are at least 1.
    pub fn new(recipe: &Recipe, level: Level) -> Self {
        let (width, height, view) = (recipe.width, recipe.height, recipe.view);
        let format = match recipe.palette {
            Palette::Aurora => Format::Rgb8,
            Palette::Classic => Format::Indexed8,
        };
        let across = Axis::new(view.xa, view.xb, width);
        Self {
            width,
            height,
            across: (0..width)
                .map(|x| across.at(x))
                .chain([0.0; MOST_LANES])
                .collect(),
            down: Axis::new(view.ya, view.yb, height),
            iteration: formulas::iteration(recipe),
            limit: recipe.iterations,
            level,
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

    /// The blocks that make up these rows exactly, if there are such ones.
    pub fn whole_blocks(&self, rows: &Range<u32>) -> Option<Range<u32>> {
        let is_border = |row: u32| row == self.height || row.is_multiple_of(self.rows_per_block);
        let fits = rows.start < rows.end && rows.end <= self.height;
        (fits && is_border(rows.start) && is_border(rows.end))
            .then(|| rows.start / self.rows_per_block..rows.end.div_ceil(self.rows_per_block))
    }

    /// The pixels of some blocks.
    pub fn pixels_in(&self, blocks: &Range<u32>) -> u64 {
        let row = |block: u32| u64::from(self.height.min(block * self.rows_per_block));
        (row(blocks.end) - row(blocks.start)) * u64::from(self.width)
    }

    /// The rows of a block; the last one may have fewer.
    pub fn rows_per_block(&self) -> u32 {
        self.rows_per_block
    }

    /// The rows of a block.
    fn rows(&self, block: u32) -> Range<u32> {
        let first = block * self.rows_per_block;
        first..first.saturating_add(self.rows_per_block).min(self.height)
    }

    /// The pixels of a block, made in one go.
    pub fn pixels(self: &Arc<Self>, block: u32) -> Vec<u8> {
        let work = Work::new(self, block);
        let pixels = Pixels {
            across: &self.across,
            down: &work.down,
        };
        let mut search = work.search;
        while !matches!(
            self.iteration
                .go_on(&mut search, self.level, &pixels, &|| false),
            Ok(true)
        ) {}
        self.colour(&pixels, search.ends())
    }

    /// The colours of some rows of pixels.
    fn colour(&self, pixels: &Pixels, ends: &Ends) -> Vec<u8> {
        match self.palette {
            Palette::Classic => {
                let counts = ends.count.iter();
                let index = |&count: &u32| classic::index(count, self.limit);
                counts.map(index).collect()
            }
            Palette::Aurora => {
                let mut colours = Vec::with_capacity(3 * ends.count.len());
                let points = pixels.points();
                for ((&count, &z), pixel) in ends.count.iter().zip(&ends.z).zip(points) {
                    let colour = if count == self.limit {
                        aurora::INTERIOR
                    } else {
                        aurora::colour(self.iteration.smooth_time(count, z, pixel))
                    };
                    colours.extend_from_slice(&colour);
                }
                colours
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
