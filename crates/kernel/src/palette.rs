//! From the ends of orbits to colours.

pub(crate) mod aurora;
pub(crate) mod classic;
pub(crate) mod smooth;
