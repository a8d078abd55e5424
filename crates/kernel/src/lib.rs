//! Fractals: a recipe in, a PNG or its numbers out, on all cores.
//!
//! A [`Renderer`] owns the threads. A picture is cut into blocks of whole rows; each block is a pure function of the
//! recipe: orbits (`search`), colours (`palette`), compression (`faafo_picture::png`). What a thread has finished is
//! written in order, with only a few blocks in flight. CPU only: no I/O but the `Write` handed in, no async runtime.
//! The same recipe gives the same bytes on every machine and with any number of threads.

mod block;
mod colour;
mod formulas;
mod join;
pub mod measure;
mod npy;
mod palette;
mod plane;
mod pool;
mod probe;
mod raw;
mod render;
mod search;
mod simd;
mod trail;
mod watch;

#[cfg(test)]
mod promised;

pub use join::{Frame, Join};
pub use npy::{JoinNpy, npy_len};
pub use probe::{Cut, Probe, probe};
pub use render::{RenderError, Rendered, Renderer, is_own_thumbnail};
pub use simd::Level;
pub use watch::Watch;
