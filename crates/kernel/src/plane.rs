//! From pixels to points of the complex plane.

/// One axis: `pixels` points from `from` to `to`, both included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    from: f64,
    to: f64,
    pixels: u32,
}

impl Axis {
    /// An axis of `pixels` ≥ 1 points.
    pub fn new(from: f64, to: f64, pixels: u32) -> Self {
        Self { from, to, pixels }
    }

    /// The coordinate of a pixel. The order of operations is part of the contract: another one rounds differently.
    #[inline]
    pub fn at(&self, pixel: u32) -> f64 {
        if self.pixels == 1 {
            return self.from;
        }
        f64::from(pixel) * (self.to - self.from) / f64::from(self.pixels - 1) + self.from
    }
}
