//! NumPy's file format: what the numbers are, then the numbers, row by row.
//! Source: numpy.lib.format, "Format Version 1.0".

use crate::render::check;
use crate::{Frame, RenderError, Watch};
use faafo_model::Recipe;
use std::io::{self, Read, Write};
use std::ops::Range;

/// Bytes of a pixel: the iterations and the time, 32 bits each.
const PIXEL: u64 = 8;
/// Bytes that are copied in one go; whole pixels.
const PIECE: u64 = 64 * 1024;

/// The length in bytes of the file that [`write_npy`](crate::Renderer::write_npy) writes.
pub fn npy_len(recipe: &Recipe) -> u64 {
    header(recipe).len() as u64 + rows_len(recipe, recipe.height)
}

/// Bytes of so many rows.
fn rows_len(recipe: &Recipe, rows: u32) -> u64 {
    PIXEL * u64::from(recipe.width) * u64::from(rows)
}

/// The magic word, the version and what the numbers are, filled up to a multiple of 64 bytes.
pub(crate) fn header(recipe: &Recipe) -> Vec<u8> {
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    let (rows, columns) = (recipe.height, recipe.width);
    let mut text = format!(
        "{{'descr': [('iterations', '<u4'), ('time', '<f4')], 'fortran_order': False, 'shape': ({rows}, {columns})}}"
    );
    let len = (MAGIC.len() + 2 + text.len() + 1).next_multiple_of(64) - MAGIC.len() - 2;
    text.push_str(&" ".repeat(len - text.len() - 1));
    text.push('\n');
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&(text.len() as u16).to_le_bytes());
    header.extend_from_slice(text.as_bytes());
    header
}

/// Puts a file of numbers together from its bands, holding a piece of one at a time.
pub struct JoinNpy<'r, 'w> {
    recipe: &'r Recipe,
    out: &'w mut dyn Write,
    head: Vec<u8>,
    /// The length of each band, as in [`Frame`].
    copied: Vec<u64>,
    next_row: u32,
}

impl<'r, 'w> JoinNpy<'r, 'w> {
    /// Begins the file of a recipe.
    ///
    /// # Errors
    /// [`RenderError::Recipe`] for a recipe that can't be rendered, [`RenderError::Io`] when `out` fails.
    pub fn new(recipe: &'r Recipe, out: &'w mut dyn Write) -> Result<Self, RenderError> {
        check(recipe)?;
        let head = header(recipe);
        out.write_all(&head)?;
        Ok(Self {
            recipe,
            out,
            head,
            copied: Vec::new(),
            next_row: 0,
        })
    }

    /// Begins to count in `watch` how far this is.
    pub fn begin(&self, watch: &Watch) {
        watch.begin(u64::from(self.recipe.width) * u64::from(self.recipe.height));
    }

    /// Adds the next band, which [`write_npy_band`](crate::Renderer::write_npy_band) has made of these rows, and counts
    /// it in `watch`. `band` holds that and nothing more.
    ///
    /// # Errors
    /// [`RenderError::Recipe`] for rows that do not come next; [`RenderError::Io`] when input or output fail or the band
    /// is longer or shorter than its rows; [`RenderError::Cancelled`].
    pub fn push(
        &mut self,
        rows: Range<u32>,
        band: &mut dyn Read,
        watch: &Watch,
    ) -> Result<(), RenderError> {
        if rows.start != self.next_row || rows.end > self.recipe.height {
            return Err(RenderError::Recipe("the bands do not follow each other"));
        }
        let mut left = rows_len(self.recipe, rows.len() as u32);
        let mut piece = vec![0; PIECE.min(left) as usize];
        while left > 0 {
            if watch.is_cancelled() {
                return Err(RenderError::Cancelled);
            }
            let next = PIECE.min(left);
            let bytes = &mut piece[..next as usize];
            band.read_exact(bytes)?;
            self.out.write_all(bytes)?;
            watch.advance(next / PIXEL);
            left -= next;
        }
        if band.read(&mut [0])? > 0 {
            return Err(invalid("a band of more than its rows").into());
        }
        self.copied.push(rows_len(self.recipe, rows.len() as u32));
        self.next_row = rows.end;
        Ok(())
    }

    /// Ends the file. Returns how it is made of its bands.
    ///
    /// # Errors
    /// [`RenderError::Io`] when rows are missing.
    pub fn finish(self) -> Result<Frame, RenderError> {
        if self.next_row != self.recipe.height {
            return Err(invalid("rows are missing").into());
        }
        Ok(Frame {
            head: self.head,
            copied: self.copied,
            tail: Vec::new(),
        })
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
