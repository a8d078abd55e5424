//! Where the next pixels come from.

use super::{lanes, replay::WHOLE};
use crate::simd::{MOST_LANES, Vector};
use faafo_formula::{Complex, Map};

/// Pixels that are prepared at a time.
const AHEAD: usize = 320;

/// Space for them, and for what a vector reaches behind the last.
const SPACE: usize = AHEAD + MOST_LANES;

/// The pixels of some whole rows.
#[derive(Debug)]
pub(crate) struct Pixels<'a> {
    /// Real part of each column, with at least [`MOST_LANES`] more numbers behind them.
    pub across: &'a [f64],
    /// Imaginary part of each row.
    pub down: &'a [f64],
}

impl Pixels<'_> {
    fn width(&self) -> usize {
        self.across.len() - MOST_LANES
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.width() * self.down.len()
    }

    /// Each, in their order.
    #[cfg(test)]
    pub fn points(&self) -> impl Iterator<Item = Complex<f64>> {
        let across = &self.across[..self.width()];
        let rows = self.down.iter();
        rows.flat_map(move |&im| across.iter().map(move |&re| Complex::new(re, im)))
    }
}

/// Pixels that wait for a lane, in their order.
pub(crate) struct Source {
    /// Real part, imaginary part and number of each, the latter with [`WHOLE`].
    waiting: [[f64; SPACE]; 3],
    from: usize,
    to: usize,
    row: usize,
    column: usize,
    exhausted: bool,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            waiting: [[0.0; SPACE]; 3],
            from: 0,
            to: 0,
            row: 0,
            column: 0,
            exhausted: false,
        }
    }
}

impl Source {
    /// Whether it is time to fill it.
    #[inline(always)]
    pub fn is_low(&self) -> bool {
        !self.exhausted && self.len() < lanes::MOST
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.to - self.from
    }

    /// The next pixel and its number.
    #[inline(always)]
    pub fn next(&mut self) -> Option<(Complex<f64>, f64)> {
        let at = self.from;
        if at == self.to {
            return None;
        }
        self.from += 1;
        let [re, im, index] = &self.waiting;
        Some((Complex::new(re[at], im[at]), index[at]))
    }

    /// Whether so many wait.
    #[inline(always)]
    pub fn has(&self, count: usize) -> bool {
        self.len() >= count
    }

    /// Takes `count` pixels at once, of which there must be that many: real parts, imaginary parts, numbers.
    #[inline(always)]
    pub fn take<V: Vector>(&mut self, count: usize) -> [V; 3] {
        let at = self.from;
        self.from += count;
        let [re, im, index] = &self.waiting;
        [
            V::load(&re[at..]),
            V::load(&im[at..]),
            V::load(&index[at..]),
        ]
    }

    /// Prepares more pixels. Leaves those out that are certainly inside, and returns how many these were.
    #[inline(always)]
    pub fn fill<V: Vector, M: Map>(&mut self, map: &M, julia: bool, pixels: &Pixels) -> u64 {
        let (width, len) = (pixels.width(), self.len());
        for numbers in &mut self.waiting {
            numbers.copy_within(self.from..self.to, 0);
        }
        (self.from, self.to) = (0, len);
        let mut counting = [0.0; MOST_LANES];
        for (lane, number) in counting.iter_mut().enumerate() {
            *number = lane as f64;
        }
        let counting = V::load(&counting);
        let mut inside = 0;
        while self.to + V::LANES <= AHEAD {
            if self.row == pixels.down.len() {
                self.exhausted = true;
                break;
            }
            let (row, column) = (self.row, self.column);
            let here = (width - column).min(V::LANES);
            self.column += here;
            if self.column == width {
                (self.row, self.column) = (row + 1, 0);
            }
            let re = V::load(&pixels.across[column..]);
            let im = V::splat(pixels.down[row]);
            let index = counting + V::splat(WHOLE + (row * width + column) as f64);
            let mut wanted = (1 << here) - 1;
            if !julia && let Some(mask) = map.inside(Complex::new(re, im)) {
                let outside = wanted & !V::bits(mask);
                inside += u64::from((wanted & !outside).count_ones());
                wanted = outside;
            }
            let [all_re, all_im, all_index] = &mut self.waiting;
            re.compress(wanted).store(&mut all_re[self.to..]);
            im.store(&mut all_im[self.to..]);
            index.compress(wanted).store(&mut all_index[self.to..]);
            self.to += wanted.count_ones() as usize;
        }
        inside
    }
}
