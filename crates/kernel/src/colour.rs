//! Colours of everything but plain recipes: samples are found, followed once more where their colour needs it, coloured
//! and averaged.
//!
//! What becomes of a sample depends on the recipe and on its own place alone, never on its neighbours. So it makes no
//! difference how a picture is cut into pieces.

mod canvas;
mod distribution;
pub(crate) mod maths;
mod named;
pub(crate) mod oklab;
mod paint;
mod sampler;
mod table;

pub(crate) use canvas::{Canvas, Setting};
pub(crate) use paint::{Paint, time};
pub(crate) use sampler::Sampler;
