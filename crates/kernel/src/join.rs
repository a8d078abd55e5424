//! Bands to a picture: copied, not made again.

use crate::block::Plan;
use crate::render::check;
use crate::simd::Level;
use crate::{RenderError, Rendered, Watch};
use faafo_model::recipe::Recipe;
use faafo_picture::band::BandReader;
use faafo_picture::png::{Assembler, Header};
use faafo_picture::thumbnail::{Downscaler, Scale};
use std::io::{Read, Write};
use std::ops::Range;
use std::sync::Arc;

/// Puts a picture together from its bands, holding one block at a time.
pub struct Join<'w> {
    assembler: Assembler<'w>,
    downscaler: Downscaler,
    header: Header,
    scale: Arc<Scale>,
    next_row: u32,
}

impl<'w> Join<'w> {
    /// Begins the picture of a recipe.
    ///
    /// # Errors
    /// [`RenderError::Recipe`] for a recipe that no picture can be made from, [`RenderError::Io`] when `out` fails.
    pub fn new(recipe: &Recipe, out: &'w mut dyn Write) -> Result<Self, RenderError> {
        check(recipe)?;
        let plan = Plan::new(recipe, Level::Scalar);
        let header = plan.header();
        Ok(Self {
            assembler: Assembler::new(out, &header)?,
            downscaler: Downscaler::with_scale(plan.scale()),
            header,
            scale: Arc::clone(plan.scale()),
            next_row: 0,
        })
    }

    /// Adds the next band, which [`render_band`](crate::Renderer::render_band) has made of these rows, and counts it in
    /// `watch`.
    ///
    /// # Errors
    /// [`RenderError::Io`] when input or output fail or the band is not that one; [`RenderError::Cancelled`].
    pub fn push(
        &mut self,
        rows: Range<u32>,
        band: &mut dyn Read,
        watch: &Watch,
    ) -> Result<(), RenderError> {
        if rows.start != self.next_row || rows.end > self.header.height() {
            return Err(RenderError::Recipe("the bands do not follow each other"));
        }
        self.next_row = rows.end;
        let mut reader = BandReader::new(band, &self.header, rows)?;
        let raw_row = 1 + self.header.format().row_bytes(self.header.width()) as u64;
        while let Some(block) = reader.next_block()? {
            if watch.is_cancelled() {
                return Err(RenderError::Cancelled);
            }
            self.assembler.push(&block)?;
            watch.advance(block.raw_len / raw_row * u64::from(self.header.width()));
        }
        self.downscaler.add(&reader.strip(&self.scale)?);
        Ok(())
    }

    /// Begins to count in `watch` how far this is.
    pub fn begin(&self, watch: &Watch) {
        watch.begin(u64::from(self.header.width()) * u64::from(self.header.height()));
    }

    /// Ends the picture.
    ///
    /// # Errors
    /// [`RenderError::Io`] when rows are missing or `out` fails.
    pub fn finish(self) -> Result<Rendered, RenderError> {
        self.assembler.finish()?;
        Ok(Rendered {
            thumbnail: self.downscaler.finish()?,
        })
    }
}
