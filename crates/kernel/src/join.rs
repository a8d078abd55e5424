//! Bands to a picture: copied, not made again.

use crate::block::Plan;
use crate::render::check;
use crate::simd::Level;
use crate::{RenderError, Rendered, Watch};
use faafo_model::recipe::Recipe;
use faafo_picture::band::BandReader;
use faafo_picture::png::{self, Checksum, Header};
use faafo_picture::thumbnail::{Downscaler, Scale};
use std::io::{Read, Write};
use std::ops::Range;
use std::sync::Arc;

/// Puts a picture together from its bands, holding one block at a time.
pub struct Join<'w> {
    out: &'w mut dyn Write,
    head: Vec<u8>,
    copied: Vec<u64>,
    raw: Checksum,
    downscaler: Downscaler,
    header: Header,
    scale: Arc<Scale>,
    next_row: u32,
}

/// What stands around the bands of a joined file, which is `head`, the beginnings of its bands, and `tail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What precedes the bands.
    pub head: Vec<u8>,
    /// The number of bytes from the beginning of each band, in their order, that stand in the file as they are.
    pub copied: Vec<u64>,
    /// What follows the bands.
    pub tail: Vec<u8>,
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
        let head = png::head(&header)?;
        out.write_all(&head)?;
        Ok(Self {
            out,
            head,
            copied: Vec::new(),
            raw: Checksum::default(),
            downscaler: Downscaler::with_scale(plan.scale()),
            header,
            scale: Arc::clone(plan.scale()),
            next_row: 0,
        })
    }

    /// Adds the next band, which [`render_band`](crate::Renderer::render_band) has made of these rows, and counts it in
    /// `watch`. What follows it in `band` stays there.
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
        let mut reader = BandReader::new(band, &self.header, rows);
        let mut copied = 0;
        while let Some(chunk) = reader.next_chunk()? {
            if watch.is_cancelled() {
                return Err(RenderError::Cancelled);
            }
            self.out.write_all(&chunk.bytes)?;
            copied += chunk.bytes.len() as u64;
            watch.advance(u64::from(chunk.rows) * u64::from(self.header.width()));
        }
        let (raw, strip) = reader.finish(&self.scale)?;
        self.raw.append(raw);
        self.downscaler.add(&strip);
        self.copied.push(copied);
        Ok(())
    }

    /// Begins to count in `watch` how far this is.
    pub fn begin(&self, watch: &Watch) {
        watch.begin(u64::from(self.header.width()) * u64::from(self.header.height()));
    }

    /// Ends the picture. Returns how it is made of its bands, and what a render in one go returns.
    ///
    /// # Errors
    /// [`RenderError::Io`] when rows are missing or `out` fails.
    pub fn finish(self) -> Result<(Frame, Rendered), RenderError> {
        let tail = png::tail(&self.header, self.raw)?;
        self.out.write_all(&tail)?;
        let rendered = Rendered {
            downscaler: self.downscaler,
        };
        let frame = Frame {
            head: self.head,
            copied: self.copied,
            tail,
        };
        Ok((frame, rendered))
    }
}
