//! Orbits of z ← z² + c: the inner loop.
//!
//! The contract is plain f64 arithmetic in exactly this order, neither fused nor reassociated, so that every machine
//! and every vector width finds the same counts. A faster version replaces [`run`] and nothing else.

use faafo_model::{Formula, recipe::Recipe};

/// The most pixels in a segment.
const MAX_SEGMENT: u32 = 1024;

/// The most steps in a segment, so that it is done in about 50 ms: others may be waiting for the thread.
pub(crate) const MAX_STEPS: u32 = 1 << 24;

/// |z|² beyond which an orbit has escaped.
const ESCAPED: f64 = 4.0;

/// Steps between two looks at the stop flag: about a millisecond.
const STEPS_PER_CHECK: u32 = 1 << 18;

/// Steps after which an orbit is suspected of never escaping, and watched for a cycle.
const STEPS_BEFORE_CYCLE_CHECK: u32 = 2048;

/// The function to iterate, and how often at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Iteration {
    /// The constant of a Julia set; without it the pixel is the constant.
    pub julia: Option<(f64, f64)>,
    /// The most iterations of a pixel; at least 1.
    pub limit: u32,
}

impl Iteration {
    /// What the recipe asks for.
    pub fn of(recipe: &Recipe) -> Self {
        Self {
            julia: match recipe.formula {
                Formula::Julia { cx, cy } => Some((cx, cy)),
                Formula::Mandelbrot => None,
            },
            limit: recipe.iterations,
        }
    }

    /// How many pixels a segment should have.
    pub fn segment(&self) -> u32 {
        (MAX_STEPS / self.limit).clamp(1, MAX_SEGMENT)
    }

    /// Where the orbit of a pixel starts, and its constant.
    #[inline]
    pub fn start(&self, x: f64, y: f64) -> (Complex, Complex) {
        let pixel = Complex { re: x, im: y };
        match self.julia {
            Some((re, im)) => (pixel, Complex { re, im }),
            None => (Complex { re: 0.0, im: 0.0 }, pixel),
        }
    }
}

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Complex {
    pub re: f64,
    pub im: f64,
}

/// Some adjacent pixels of one row and how their orbits ended, a field an array.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    /// Imaginary part of all pixels.
    pub y: f64,
    /// Real part of each pixel.
    pub x: Vec<f64>,
    /// The first iteration that found |z| > 2, or the iteration limit if none did.
    pub count: Vec<u32>,
    /// Real part of the z that escaped; unspecified if none did.
    pub re: Vec<f64>,
    /// Imaginary part of the z that escaped; unspecified if none did.
    pub im: Vec<f64>,
}

impl Segment {
    /// Sets the pixels; [`run`] does the rest.
    pub fn place(&mut self, y: f64, x: impl Iterator<Item = f64>) {
        self.y = y;
        self.x.clear();
        self.x.extend(x);
        let len = self.x.len();
        self.count.resize(len, 0);
        self.re.resize(len, 0.0);
        self.im.resize(len, 0.0);
    }
}

/// The render was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// Follows the orbit of every pixel of the segment. Asks `stop` about every millisecond.
pub(crate) fn run(
    iteration: &Iteration,
    segment: &mut Segment,
    stop: &dyn Fn() -> bool,
) -> Result<(), Stopped> {
    let mut steps = 0;
    for index in 0..segment.x.len() {
        let (z, c) = iteration.start(segment.x[index], segment.y);
        let (count, z) = escape(z, c, iteration.limit, stop)?;
        segment.count[index] = count;
        segment.re[index] = z.re;
        segment.im[index] = z.im;
        steps += count.min(STEPS_PER_CHECK);
        if steps >= STEPS_PER_CHECK {
            steps = 0;
            if stop() {
                return Err(Stopped);
            }
        }
    }
    Ok(())
}

/// The first of `limit` iterations that finds |z| > 2, or `limit`; and z then.
fn escape(
    z: Complex,
    c: Complex,
    limit: u32,
    stop: &dyn Fn() -> bool,
) -> Result<(u32, Complex), Stopped> {
    let mut orbit = Orbit::new(z);
    let head = limit.min(STEPS_BEFORE_CYCLE_CHECK);
    for count in 0..head {
        if orbit.escaped() {
            return Ok((count, orbit.z()));
        }
        orbit.step(c);
    }
    let mut count = head;
    let mut seen = orbit.z();
    while count < limit {
        // Brent's cycle detection: an orbit that comes back to the very same number never escapes.
        let until = count + (limit - count).min(count).min(STEPS_PER_CHECK);
        while count < until {
            if orbit.escaped() {
                return Ok((count, orbit.z()));
            }
            orbit.step(c);
            count += 1;
            if orbit.z() == seen {
                return Ok((limit, seen));
            }
        }
        seen = orbit.z();
        if stop() {
            return Err(Stopped);
        }
    }
    Ok((limit, orbit.z()))
}

/// An orbit under way, with the squares that both the test and the next step need.
struct Orbit {
    re: f64,
    im: f64,
    re2: f64,
    im2: f64,
}

impl Orbit {
    #[inline(always)]
    fn new(z: Complex) -> Self {
        Self {
            re: z.re,
            im: z.im,
            re2: z.re * z.re,
            im2: z.im * z.im,
        }
    }

    #[inline(always)]
    fn z(&self) -> Complex {
        Complex {
            re: self.re,
            im: self.im,
        }
    }

    #[inline(always)]
    fn escaped(&self) -> bool {
        self.re2 + self.im2 > ESCAPED
    }

    #[inline(always)]
    fn step(&mut self, c: Complex) {
        let cross = self.re * self.im;
        self.re = (self.re2 - self.im2) + c.re;
        self.im = (cross + cross) + c.im;
        self.re2 = self.re * self.re;
        self.im2 = self.im * self.im;
    }
}

#[cfg(test)]
mod tests;
