//! Renders recipes: blocks from the pool, in order, into a PNG.

use crate::Watch;
use crate::block::{Block, Plan, Work};
use crate::plane::Plane;
use crate::pool::{JobError, Piece, Pool, run_here};
use crate::search::Stopped;
use crate::simd::Level;
use faafo_model::{FieldError, Format, Recipe};
use faafo_picture::band::BandWriter;
use faafo_picture::png::Assembler;
use faafo_picture::thumbnail::{Downscaler, MAX_SIDE as MAX_THUMBNAIL};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What takes no more orbits' steps than this, some tenths of a millisecond, is not worth waking another thread for.
const TINY: u64 = 1 << 18;

/// The largest side of a PNG.
const MAX_SIDE: u32 = i32::MAX as u32;

/// Renders any number of recipes at once on a fixed number of threads, which end when this is dropped.
pub struct Renderer {
    pool: Pool,
    level: Level,
}

/// What a render yields besides the PNG that it wrote.
#[derive(Debug)]
pub struct Rendered {
    pub(crate) downscaler: Downscaler,
}

impl Rendered {
    /// The picture's thumbnail, a PNG of at most 300 pixels a side.
    ///
    /// # Errors
    /// [`RenderError::Io`] when it can't be compressed.
    pub fn thumbnail(self) -> Result<Vec<u8>, RenderError> {
        Ok(self.downscaler.finish()?)
    }
}

/// Whether the picture of a recipe can be shown as its own thumbnail: it has the pixels that its thumbnail would have, in
/// a format of no more bits. Its file differs from the thumbnail's in compression only.
pub fn is_own_thumbnail(recipe: &Recipe) -> bool {
    let longest = recipe.width.max(recipe.height);
    recipe.format == Format::Png && recipe.colours.depth == 8 && longest <= MAX_THUMBNAIL
}

/// Why there is no picture, or only the beginning of one.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// [`Watch::cancel`] was called.
    #[error("the render was cancelled")]
    Cancelled,
    /// The picture could not be written.
    #[error("the picture could not be written")]
    Io(#[from] io::Error),
    /// No picture can be made from this recipe.
    #[error("not a recipe that can be rendered: {0}")]
    Recipe(&'static str),
    /// A field is out of its range or contradicts another.
    #[error("not a recipe that can be rendered: {0}")]
    Field(#[from] FieldError),
    /// A defect in the renderer, with what it said.
    #[error("the renderer failed: {0}")]
    Panicked(String),
}

impl Renderer {
    /// Starts the threads, which use the fastest instructions that this machine has.
    pub fn new(threads: NonZeroUsize) -> io::Result<Self> {
        Self::at_level(threads, Level::best())
    }

    /// Starts the threads, which use the instructions of a level; one number at a time if this machine lacks them.
    pub fn at_level(threads: NonZeroUsize, level: Level) -> io::Result<Self> {
        Ok(Self {
            pool: Pool::new(threads)?,
            level,
        })
    }

    /// Renders a recipe and writes the PNG to `out` as it comes into being; blocks until all is written. Memory does
    /// not grow with the picture's height: threads wait while `out` is slow. May be called from many threads at once.
    pub fn render(
        &self,
        recipe: &Recipe,
        watch: &Watch,
        out: &mut dyn Write,
    ) -> Result<Rendered, RenderError> {
        check(recipe)?;
        let plan = Arc::new(Plan::new(recipe, self.level));
        let mut downscaler = Downscaler::with_scale(plan.scale());
        let mut assembler = Assembler::new(out, &plan.header())?;
        self.blocks(&plan, 0..plan.blocks(), watch, |block| {
            downscaler.add(&block.strip);
            assembler.push(&block.fragment)
        })?;
        assembler.finish()?;
        Ok(Rendered { downscaler })
    }

    /// Renders a band: rows that begin and end where blocks do, written to `out` as [`Join`] reads it. The same picture
    /// comes of its bands, however it is cut. Blocks and takes memory as [`render`](Self::render) does.
    ///
    /// # Errors
    /// As of [`render`](Self::render); [`RenderError::Recipe`] also for rows that are no whole blocks.
    pub fn render_band(
        &self,
        recipe: &Recipe,
        rows: Range<u32>,
        watch: &Watch,
        out: &mut dyn Write,
    ) -> Result<(), RenderError> {
        check(recipe)?;
        let plan = Arc::new(Plan::new(recipe, self.level));
        let blocks = plan
            .whole_blocks(&rows)
            .ok_or(RenderError::Recipe("a band is not made of whole blocks"))?;
        let mut band = BandWriter::new(out, plan.scale(), rows.start);
        self.blocks(&plan, blocks, watch, |block| {
            band.push(&block.fragment, &block.strip)
        })?;
        Ok(band.finish()?)
    }

    /// The level of instructions in use.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Makes some blocks of a picture and hands them over in order.
    fn blocks(
        &self,
        plan: &Arc<Plan>,
        blocks: Range<u32>,
        watch: &Watch,
        mut consume: impl FnMut(Block) -> io::Result<()>,
    ) -> Result<(), RenderError> {
        watch.begin(plan.pixels_in(&blocks));
        let is_tiny = plan.most_steps() <= TINY;
        let abandoned = Abandon::default();
        let (watch_of_pieces, abandoned_of_pieces) = (watch.clone(), Arc::clone(&abandoned.0));
        let (first, plan) = (blocks.start, Arc::clone(plan));
        let piece = move |index| BlockPiece {
            work: Work::new(&plan, first + index as u32),
            watch: watch_of_pieces.clone(),
            abandoned: Arc::clone(&abandoned_of_pieces),
        };
        let consume = |block: Result<Block, Stopped>| {
            let block = block.map_err(|Stopped| JobError::Stopped)?;
            consume(block).map_err(JobError::Consumer)
        };
        match is_tiny {
            true => run_here(blocks.len(), piece, consume).map_err(failed),
            false => self.run(blocks.len(), watch, piece, consume),
        }
    }

    /// Works on pieces as [`Pool::run`] does.
    pub(crate) fn run<P: Piece>(
        &self,
        pieces: usize,
        watch: &Watch,
        piece: impl Fn(usize) -> P + Send + Sync + 'static,
        consume: impl FnMut(P::Output) -> Result<(), JobError>,
    ) -> Result<(), RenderError> {
        self.pool
            .run(pieces, &|| watch.is_cancelled(), piece, consume)
            .map_err(failed)
    }
}

fn failed(error: JobError) -> RenderError {
    match error {
        JobError::Stopped => RenderError::Cancelled,
        JobError::Consumer(error) => RenderError::Io(error),
        JobError::Panicked(message) => RenderError::Panicked(message),
    }
}

/// A block of one render.
struct BlockPiece {
    work: Work,
    watch: Watch,
    abandoned: Arc<AtomicBool>,
}

impl Piece for BlockPiece {
    type Output = Result<Block, Stopped>;

    fn go_on(&mut self) -> Option<Self::Output> {
        let stop = || self.watch.is_cancelled() || self.abandoned.load(Relaxed);
        let advance = |pixels| self.watch.advance(pixels);
        self.work.go_on(&stop, &advance).transpose()
    }
}

/// Stops the blocks that are still under way when a render ends, for whatever reason.
#[derive(Default)]
pub(crate) struct Abandon(pub(crate) Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Whether a picture can be made from a recipe.
pub(crate) fn check(recipe: &Recipe) -> Result<(), RenderError> {
    let (cx, cy) = recipe.formula.constant().unwrap_or_default();
    let finite = Plane::of(recipe).is_finite() && cx.is_finite() && cy.is_finite();
    let side = 1..=MAX_SIDE;
    if !side.contains(&recipe.width) || !side.contains(&recipe.height) {
        Err(RenderError::Recipe(
            "a side is 0 or beyond 2147483647 pixels",
        ))
    } else if recipe.iterations == 0 {
        Err(RenderError::Recipe("no iterations"))
    } else if !finite {
        Err(RenderError::Recipe("a coordinate is not a finite number"))
    } else {
        Ok(recipe.check_settings()?)
    }
}
