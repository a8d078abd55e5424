//! Pixels in, PNG out: a PNG writer whose pieces are made independently, thumbnails, and a decoder for pictures of
//! unknown origin.
//!
//! CPU only: whatever is read or written goes through a `Read` or `Write` that the caller hands in. The same pixels
//! give the same bytes on every machine.

pub mod band;
pub mod decode;
pub mod png;
pub mod srgb;
pub mod thumbnail;

pub use decode::{DecodeError, Decoded, Limits, thumbnail_of};
