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

    /// The coordinate of the sample at a place of several along a pixel. A single one lies where the pixel does.
    pub fn sample(&self, pixel: u32, place: u32, of: u32) -> f64 {
        let within = (f64::from(2 * place + 1) / f64::from(2 * of)) - 0.5;
        let pixels = f64::from(self.pixels.max(2) - 1);
        (f64::from(pixel) + within) * (self.to - self.from) / pixels + self.from
    }
}
