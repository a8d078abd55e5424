//! A block of whole rows, from recipe to compressed bytes: a pure function, run on any thread, a little at a time.

use crate::colour::{Canvas, Paint, Setting};
use crate::formulas::{self, AnyIteration};
use crate::palette::{aurora, classic};
use crate::plane::{Columns, Pixels, Plane, Rows};
use crate::search::{Ends, Search, Stopped};
use crate::simd::Level;
use faafo_model::{Colouring, Palette, recipe::Recipe};
use faafo_picture::png::{self, Format, Fragment, Header};
use faafo_picture::thumbnail::{MAX_SIDE, Scale, Strip};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All that the blocks of one picture have in common.
pub(crate) struct Plan {
    width: u32,
    height: u32,
    plane: Plane,
    columns: Columns,
    iteration: Box<dyn AnyIteration>,
    limit: u32,
    level: Level,
    colours: Colours,
    format: Format,
    rows_per_block: u32,
    scale: Arc<Scale>,
    /// Searches that are done. Their memory serves the next blocks: asking for it anew and giving it back took a sixth of
    /// a large picture's time.
    spare: Mutex<Vec<Search>>,
}

/// How a picture's pixels get their colours.
#[derive(Debug)]
enum Colours {
    /// As they always did; the bytes of such pictures never change.
    Plain(Palette),
    /// As the recipe says, which is in the picture too.
    Rich {
        setting: Box<Setting>,
        recipe: String,
    },
}

/// The state of the art: pictures of other engines may have other bytes. Plain pictures are the same in all.
const ENGINE: &str = "faafo engine 1";

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
    way: Way,
    advanced: u64,
}

/// How pixels come into being.
enum Way {
    Plain {
        rows: Rows,
        search: Search,
    },
    Rich(Box<Canvas>),
    /// The pixels were given away.
    Done,
}

impl Work {
    /// Nothing done yet.
    pub fn new(plan: &Arc<Plan>, block: u32) -> Self {
        let rows = plan.rows(block);
        let way = match &plan.colours {
            Colours::Plain(palette) => {
                let rows = plan.plane.rows(rows.clone());
                let pixels = Pixels::new(&plan.columns, &rows);
                let want_z = *palette == Palette::Aurora;
                let search = match plan.spare().pop() {
                    Some(mut search) => {
                        search.begin_anew(&pixels);
                        search
                    }
                    None => plan.iteration.search(&pixels, want_z),
                };
                Way::Plain { rows, search }
            }
            Colours::Rich { setting, .. } => {
                Way::Rich(Box::new(Canvas::new(setting, rows.clone())))
            }
        };
        Self {
            plan: Arc::clone(plan),
            rows,
            way,
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
        let Some(pixels) = self.pixels(stop, advance)? else {
            return Ok(None);
        };
        if stop() {
            return Err(Stopped);
        }
        let plan = &*self.plan;
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

    /// Goes on for a while and gives the pixels once they are done.
    fn pixels(
        &mut self,
        stop: &dyn Fn() -> bool,
        advance: &dyn Fn(u64),
    ) -> Result<Option<Vec<u8>>, Stopped> {
        let plan = &*self.plan;
        let iteration = &*plan.iteration;
        let (all, done) = match (&mut self.way, &plan.colours) {
            (Way::Plain { rows, search }, _) => {
                let pixels = Pixels::new(&plan.columns, rows);
                let all = iteration.go_on(search, plan.level, &pixels, stop)?;
                (all, search.done())
            }
            (Way::Rich(canvas), Colours::Rich { setting, .. }) => {
                let all = canvas.go_on(setting, iteration, plan.level, stop)?;
                (all, canvas.done())
            }
            (Way::Rich(_), Colours::Plain(_)) | (Way::Done, _) => return Err(Stopped),
        };
        advance(done - self.advanced);
        self.advanced = done;
        if !all {
            return Ok(None);
        }
        Ok(match std::mem::replace(&mut self.way, Way::Done) {
            Way::Plain { rows, search } => {
                let pixels = Pixels::new(&plan.columns, &rows);
                let pixels = plan.colour(&pixels, search.ends());
                plan.spare().push(search);
                Some(pixels)
            }
            Way::Rich(mut canvas) => Some(canvas.take()),
            Way::Done => None,
        })
    }
}

impl Plan {
    /// Of a recipe whose sides and iterations are at least 1.
    pub fn new(recipe: &Recipe, level: Level) -> Self {
        Self::painted(recipe, Plane::of(recipe), level, None)
    }

    /// Of a part of this picture by itself: a recipe that differs from this one's in size only, and where it lies. Its
    /// colours are those that the part has in the whole.
    pub fn of_part(&self, part: &Recipe, place: Plane) -> Self {
        let paint = match &self.colours {
            Colours::Plain(_) => None,
            Colours::Rich { setting, .. } => Some(Arc::clone(&setting.paint)),
        };
        Self::painted(part, place, self.level, paint)
    }

    fn painted(recipe: &Recipe, plane: Plane, level: Level, paint: Option<Arc<Paint>>) -> Self {
        let (width, height) = (recipe.width, recipe.height);
        let format = match recipe.palette {
            _ if recipe.colours.depth == 16 => Format::Rgb16,
            _ if recipe.colours.supersampling > 1 => Format::Rgb8,
            _ if recipe.colouring() == Colouring::Classic => Format::Indexed8,
            _ => Format::Rgb8,
        };
        let iteration = formulas::iteration(recipe);
        let colours = if recipe.is_plain() {
            Colours::Plain(recipe.palette)
        } else {
            Colours::Rich {
                setting: Box::new(Setting {
                    paint: paint.unwrap_or_else(|| Arc::new(Paint::new(recipe, &*iteration))),
                    supersampling: recipe.colours.supersampling,
                    adaptive: recipe.colours.adaptive,
                    format,
                    plane: plane.clone(),
                    width,
                }),
                recipe: recipe.to_json(),
            }
        };
        Self {
            width,
            height,
            columns: plane.columns(),
            plane,
            iteration,
            limit: recipe.iterations,
            level,
            colours,
            format,
            rows_per_block: png::rows_per_block(format, width),
            scale: Arc::new(Scale::new(width, height, MAX_SIDE)),
            spare: Mutex::default(),
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Search>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The PNG's header.
    pub fn header(&self) -> Header {
        let (width, height) = (self.width, self.height);
        let (setting, recipe) = match &self.colours {
            Colours::Plain(Palette::Classic) => {
                return Header::indexed(width, height, &classic::TABLE);
            }
            Colours::Plain(_) => return Header::rgb(width, height),
            Colours::Rich { setting, recipe } => (setting, recipe),
        };
        let header = match self.format {
            Format::Indexed8 => Header::indexed(width, height, &setting.paint.indices()),
            Format::Rgb8 => Header::rgb(width, height),
            Format::Rgb16 => Header::wide_rgb(width, height),
        };
        header
            .with_text("Software", ENGINE.to_owned())
            .with_text("Recipe", recipe.clone())
    }

    /// The most steps that the orbits of all samples can take.
    pub fn most_steps(&self) -> u64 {
        let samples = match &self.colours {
            Colours::Plain(_) => 1,
            Colours::Rich { setting, .. } => u64::from(setting.supersampling).pow(2),
        };
        let pixels = u64::from(self.width) * u64::from(self.height);
        pixels
            .saturating_mul(samples)
            .saturating_mul(u64::from(self.limit))
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

    /// The pixels of a block, made in one go. Asks `stop` about every millisecond.
    pub fn pixels(
        self: &Arc<Self>,
        block: u32,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<u8>, Stopped> {
        let mut work = Work::new(self, block);
        while !stop() {
            if let Some(pixels) = work.pixels(stop, &|_| ())? {
                return Ok(pixels);
            }
        }
        Err(Stopped)
    }

    /// The colours of some rows of pixels.
    fn colour(&self, pixels: &Pixels, ends: &Ends) -> Vec<u8> {
        match self.format {
            Format::Indexed8 => {
                let counts = ends.count.iter();
                let index = |&count: &u32| classic::index(count, self.limit);
                counts.map(index).collect()
            }
            _ => {
                let times = self.iteration.smooth_times(self.level, pixels, ends);
                let mut colours = Vec::with_capacity(3 * times.len());
                for (&count, time) in ends.count.iter().zip(times) {
                    let colour = if count == self.limit {
                        aurora::INTERIOR
                    } else {
                        aurora::colour(time)
                    };
                    colours.extend_from_slice(&colour);
                }
                colours
            }
        }
    }

    fn shrink(&self, y: u32, row: &[u8], strip: &mut Strip) {
        match (self.format, &self.colours) {
            (Format::Indexed8, Colours::Rich { setting, .. }) => {
                let table = setting.paint.indices();
                strip.add_row(y, |x| table[usize::from(row[x])]);
            }
            (Format::Indexed8, Colours::Plain(_)) => {
                strip.add_row(y, |x| classic::TABLE[usize::from(row[x])]);
            }
            (Format::Rgb8, _) => {
                let (colours, _) = row.as_chunks::<3>();
                strip.add_row(y, |x| colours[x]);
            }
            (Format::Rgb16, _) => {
                let (colours, _) = row.as_chunks::<6>();
                strip.add_row(y, |x| {
                    [0, 2, 4].map(|channel| narrow(&colours[x][channel..]))
                });
            }
        }
    }
}

/// The byte nearest to 16 bits, the more significant byte first.
fn narrow(wide: &[u8]) -> u8 {
    let wide = u32::from(wide[0]) << 8 | u32::from(wide[1]);
    ((wide + 128) / 257) as u8
}
