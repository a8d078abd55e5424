//! The iterated functions: their mathematics, written once over numbers and vectors of numbers.
//!
//! A formula is a file in `kinds`: what others know about it, a [`Kind`], and what is calculated, a [`Map`].

mod complex;
mod dual;
mod kind;
mod kinds;
mod map;
mod number;

pub use complex::Complex;
pub use dual::Dual;
pub use kind::{Constant, Kind, MOST_PARAMETERS, Parameter};
pub use kinds::{KINDS, Quadratic, Visitor, kind_named, with_map};
pub use map::{Map, REST};
pub use number::Number;
