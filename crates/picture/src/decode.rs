//! Reads PNGs of unknown origin to their very end, and makes their thumbnails.

use crate::thumbnail::{Downscaler, MAX_SIDE};
use ::png::{BitDepth, ColorType, DecodeOptions, Decoder, DecodingError, Reader, Transformations};
use std::io::{self, BufRead, Seek};

/// What a picture may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most pixels it may have.
    pub pixels: u64,
    /// The most bytes of memory that decoding may take: a few rows, or the whole picture if it is interlaced.
    pub memory: usize,
}

impl Default for Limits {
    /// 100 million pixels in 512 MiB.
    fn default() -> Self {
        Self {
            pixels: 100_000_000,
            memory: 512 * 1024 * 1024,
        }
    }
}

/// What was learned about a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Columns, in pixels.
    pub width: u32,
    /// Rows, in pixels.
    pub height: u32,
    /// Its thumbnail, a PNG.
    pub thumbnail: Vec<u8>,
}

/// Why there is no thumbnail.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not a PNG, or one that is damaged or incomplete.
    #[error("not a valid PNG: {0}")]
    Invalid(String),
    /// A PNG beyond the limits.
    #[error("the picture is too large: {width} × {height} pixels")]
    TooLarge {
        /// Columns, in pixels.
        width: u32,
        /// Rows, in pixels.
        height: u32,
    },
    /// A PNG whose metadata alone is beyond the limits.
    #[error("the picture takes too much memory to decode")]
    TooMuchMemory,
    /// The source could not be read.
    #[error("the picture could not be read")]
    Io(#[from] io::Error),
}

impl From<DecodingError> for DecodeError {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Invalid("it ends too early".into())
            }
            DecodingError::IoError(error) => Self::Io(error),
            DecodingError::LimitsExceeded => Self::TooMuchMemory,
            other => Self::Invalid(other.to_string()),
        }
    }
}

/// Decodes a whole PNG of any kind, checks every checksum on the way, and makes its thumbnail. Transparent parts are
/// shown on white; of an animation the default picture counts.
pub fn thumbnail_of(png: impl BufRead + Seek, limits: Limits) -> Result<Decoded, DecodeError> {
    let mut options = DecodeOptions::default();
    options.set_ignore_checksums(false);
    options.set_skip_ancillary_crc_failures(false);
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    let mut decoder = Decoder::new_with_options(png, options);
    decoder.set_limits(::png::Limits {
        bytes: limits.memory,
    });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let (width, height) = decoder.read_header_info()?.size();
    if u64::from(width) * u64::from(height) > limits.pixels {
        return Err(DecodeError::TooLarge { width, height });
    }
    let mut reader = decoder.read_info()?;
    let mut downscaler = Downscaler::new(width, height, MAX_SIDE);
    if reader.info().interlaced {
        read_interlaced(&mut reader, limits, &mut downscaler)?;
    } else {
        read_rows(&mut reader, &mut downscaler)?;
    }
    reader.finish()?;
    Ok(Decoded {
        width,
        height,
        thumbnail: downscaler.finish()?,
    })
}

fn read_rows<R: BufRead + Seek>(
    reader: &mut Reader<R>,
    downscaler: &mut Downscaler,
) -> Result<(), DecodeError> {
    let (width, height) = reader.info().size();
    let channels = Channels::of(reader)?;
    let mut rgb = vec![0; 3 * width as usize];
    for y in 0..height {
        let row = reader
            .next_row()?
            .ok_or_else(|| DecodeError::Invalid("rows are missing".into()))?;
        channels.flatten(row.data(), &mut rgb)?;
        downscaler.add_row(y, &rgb);
    }
    // Beyond the last row there is what ends the compressed stream.
    match reader.next_row()? {
        Some(_) => Err(DecodeError::Invalid("too many rows".into())),
        None => Ok(()),
    }
}

fn read_interlaced<R: BufRead + Seek>(
    reader: &mut Reader<R>,
    limits: Limits,
    downscaler: &mut Downscaler,
) -> Result<(), DecodeError> {
    let (width, height) = reader.info().size();
    let channels = Channels::of(reader)?;
    let bytes = reader
        .output_buffer_size()
        .filter(|bytes| *bytes <= limits.memory)
        .ok_or(DecodeError::TooLarge { width, height })?;
    let mut pixels = vec![0; bytes];
    let frame = reader.next_frame(&mut pixels)?;
    if (frame.width, frame.height) != (width, height) {
        return Err(DecodeError::Invalid("rows are missing".into()));
    }
    let mut rgb = vec![0; 3 * width as usize];
    for (y, row) in (0..height).zip(pixels.chunks_exact(frame.line_size)) {
        channels.flatten(row, &mut rgb)?;
        downscaler.add_row(y, &rgb);
    }
    Ok(())
}

/// The channels of decoded pixels, a byte each.
#[derive(Debug, Clone, Copy)]
enum Channels {
    Grey,
    GreyAlpha,
    Rgb,
    RgbAlpha,
}

impl Channels {
    fn of<R: BufRead + Seek>(reader: &Reader<R>) -> Result<Self, DecodeError> {
        match reader.output_color_type() {
            (ColorType::Grayscale, BitDepth::Eight) => Ok(Self::Grey),
            (ColorType::GrayscaleAlpha, BitDepth::Eight) => Ok(Self::GreyAlpha),
            (ColorType::Rgb, BitDepth::Eight) => Ok(Self::Rgb),
            (ColorType::Rgba, BitDepth::Eight) => Ok(Self::RgbAlpha),
            other => Err(DecodeError::Invalid(format!("unexpected pixels {other:?}"))),
        }
    }

    /// A row of opaque red, green, blue, as seen on white.
    fn flatten(self, row: &[u8], rgb: &mut [u8]) -> Result<(), DecodeError> {
        let (rgb, _) = rgb.as_chunks_mut::<3>();
        let pixels = match self {
            Self::Grey => fill(rgb, row, |[grey]| [grey; 3]),
            Self::GreyAlpha => fill(rgb, row, |[grey, alpha]| [on_white(grey, alpha); 3]),
            Self::Rgb => fill(rgb, row, |pixel| pixel),
            Self::RgbAlpha => fill(rgb, row, |[red, green, blue, alpha]| {
                [red, green, blue].map(|value| on_white(value, alpha))
            }),
        };
        if pixels == rgb.len() {
            Ok(())
        } else {
            Err(DecodeError::Invalid("a row of the wrong length".into()))
        }
    }
}

/// Converts pixels of `N` bytes; returns how many there were.
fn fill<const N: usize>(rgb: &mut [[u8; 3]], row: &[u8], f: impl Fn([u8; N]) -> [u8; 3]) -> usize {
    let (pixels, _) = row.as_chunks::<N>();
    for (rgb, pixel) in rgb.iter_mut().zip(pixels) {
        *rgb = f(*pixel);
    }
    pixels.len()
}

/// A value of that opacity before white, rounded.
fn on_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}
