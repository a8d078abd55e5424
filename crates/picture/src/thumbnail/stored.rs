//! A strip's sums as bytes: the first row of the thumbnail that they belong to and the number of rows, both `u32`, then
//! red, green and blue of each cell, `u64` each; all little-endian.

use super::{Scale, Strip};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// Bytes of one cell, and of the two numbers before all cells.
const CELL: usize = 24;
const HEAD: u64 = 8;

impl Scale {
    /// The most bytes that the sums of a thumbnail take.
    pub(crate) fn most_strip_bytes(&self) -> u64 {
        let (width, height) = self.size();
        HEAD + u64::from(width) * u64::from(height) * CELL as u64
    }
}

impl Strip {
    /// Writes the sums.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let width = self.row.len().max(1);
        let rows = (self.sums.len() / width) as u32;
        out.write_all(&self.first_row.to_le_bytes())?;
        out.write_all(&rows.to_le_bytes())?;
        for row in self.sums.chunks_exact(width) {
            let cells = row.iter().flatten();
            let bytes: Vec<u8> = cells.flat_map(|sum| sum.to_le_bytes()).collect();
            out.write_all(&bytes)?;
        }
        Ok(())
    }

    /// Reads sums back.
    ///
    /// # Errors
    /// When `input` fails, or the sums can't be those of a thumbnail of this scale.
    pub fn read(scale: &Arc<Scale>, input: &mut dyn Read) -> io::Result<Self> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidData, "not a thumbnail's sums");
        let mut number = [0; 4];
        input.read_exact(&mut number)?;
        let first_row = u32::from_le_bytes(number);
        input.read_exact(&mut number)?;
        let rows = u32::from_le_bytes(number);
        let (width, height) = scale.size();
        if first_row
            .checked_add(rows)
            .is_none_or(|behind| behind > height)
        {
            return Err(invalid());
        }
        let mut strip = Self::new(scale);
        strip.first_row = first_row;
        // No cell is brighter than white all over, so that adding strips can't overflow.
        let most = scale.across.cell_weight() * scale.down.cell_weight() * u64::from(u16::MAX);
        let mut row = vec![0; width as usize * CELL];
        for _ in 0..rows {
            input.read_exact(&mut row)?;
            let (sums, _) = row.as_chunks::<8>();
            let (cells, _) = sums.as_chunks::<3>();
            for cell in cells {
                let cell = cell.map(u64::from_le_bytes);
                if cell.iter().any(|sum| *sum > most) {
                    return Err(invalid());
                }
                strip.sums.push(cell);
            }
        }
        Ok(strip)
    }
}
