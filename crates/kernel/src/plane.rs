//! From pixels to points of the complex plane. Nothing else in the kernel knows how a view keeps its coordinates.

use crate::search::BEHIND;
use crate::simd::Vector;
use faafo_formula::Complex;
use faafo_model::{Recipe, View};
use std::ops::Range;

/// Where the pixels of a picture lie.
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    across: Axis,
    down: Axis,
    turn: Option<Turn>,
}

/// A rotation about a point, with the plane's own orientation.
#[derive(Debug, Clone, Copy)]
struct Turn {
    cos: f64,
    sin: f64,
    centre: (f64, f64),
}

/// One axis: `pixels` points from `from` to `to`, both included.
#[derive(Debug, Clone, Copy)]
struct Axis {
    from: f64,
    to: f64,
    pixels: u32,
}

/// A place along an axis: a pixel, and which of several samples in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The pixel.
    pub pixel: u32,
    /// The sample's number.
    pub sample: u32,
    /// Of so many.
    pub of: u32,
}

/// Columns of points.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    /// Real part of each, with [`BEHIND`] more numbers behind them for vectors to reach into.
    re: Vec<f64>,
    /// What each adds to the imaginary part, if any does; as many.
    im: Option<Vec<f64>>,
}

/// Rows of points.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// Imaginary part of each.
    im: Vec<f64>,
    /// What each adds to the real part, if any does.
    re: Option<Vec<f64>>,
}

/// The points where some columns and rows meet, row by row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pixels<'a> {
    columns: &'a Columns,
    rows: &'a Rows,
}

/// Some neighbouring points of a row.
pub(crate) struct Segment<'a> {
    re: &'a [f64],
    im: f64,
    /// What columns add to the imaginary part, and the row to the real one.
    turned: Option<(&'a [f64], f64)>,
}

impl Plane {
    /// Of a recipe's picture.
    pub fn of(recipe: &Recipe) -> Self {
        Self::new(&recipe.view, recipe.width, recipe.height)
    }

    /// Of a view with so many columns and rows, at least 1.
    pub fn new(view: &View, width: u32, height: u32) -> Self {
        let [xa, xb, ya, yb] = view.edges();
        let (across, down) = (Axis::new(xa, xb, width), Axis::new(ya, yb, height));
        // In a mirrored picture counter-clockwise is clockwise in the plane.
        let mirrored = across.length().signum() * down.length().signum();
        let (sin, cos) = sin_cos(view.rotation());
        let turn = Turn {
            cos,
            sin: sin * mirrored,
            centre: (xa.midpoint(xb), ya.midpoint(yb)),
        };
        // Without a rotation nothing is added to anything: every bit is as it always was.
        let turn = ((sin, cos) != (0.0, 1.0)).then_some(turn);
        Self { across, down, turn }
    }

    /// Of a part of the picture, from left to right and from top to bottom in parts of the whole, with so many columns
    /// and rows.
    pub fn part(&self, right: Range<f64>, down: Range<f64>, width: u32, height: u32) -> Self {
        Self {
            across: self.across.part(right, width),
            down: self.down.part(down, height),
            turn: self.turn,
        }
    }

    /// Whether all of it can be computed with.
    pub fn is_finite(&self) -> bool {
        let Self { across, down, .. } = self;
        let edges = [across.from, across.to, down.from, down.to];
        edges.into_iter().all(f64::is_finite)
    }

    /// All columns, each where its pixels lie.
    pub fn columns(&self) -> Columns {
        self.turned_columns((0..self.across.pixels).map(|x| self.across.at(x)))
    }

    /// Some rows, each where its pixels lie.
    pub fn rows(&self, rows: Range<u32>) -> Rows {
        self.turned_rows(rows.map(|y| self.down.at(y)))
    }

    /// Columns of samples.
    pub fn sampled_columns(&self, places: impl Iterator<Item = Place>) -> Columns {
        self.turned_columns(places.map(|place| self.across.sample(place)))
    }

    /// Rows of samples.
    pub fn sampled_rows(&self, places: impl Iterator<Item = Place>) -> Rows {
        self.turned_rows(places.map(|place| self.down.sample(place)))
    }

    /// Columns of which the real parts would be these without rotation.
    fn turned_columns(&self, re: impl Iterator<Item = f64>) -> Columns {
        let Some(Turn { cos, sin, centre }) = self.turn else {
            return Columns::new(re.collect());
        };
        let (re, mut im): (Vec<f64>, Vec<f64>) = re
            .map(|re| re - centre.0)
            .map(|x| (centre.0 + x * cos, x * sin))
            .unzip();
        im.extend([0.0; BEHIND]);
        Columns {
            im: Some(im),
            ..Columns::new(re)
        }
    }

    /// Rows of which the imaginary parts would be these without rotation.
    fn turned_rows(&self, im: impl Iterator<Item = f64>) -> Rows {
        let Some(Turn { cos, sin, centre }) = self.turn else {
            return Rows::new(im.collect());
        };
        let (im, re): (Vec<f64>, Vec<f64>) = im
            .map(|im| im - centre.1)
            .map(|y| (centre.1 + y * cos, -y * sin))
            .unzip();
        Rows { im, re: Some(re) }
    }

    /// Length of the picture's diagonal.
    pub fn diagonal(&self) -> f64 {
        let (width, height) = (self.across.length(), self.down.length());
        let larger = width.abs().max(height.abs());
        let (part, other) = (width / larger, height / larger);
        larger * (part * part + other * other).sqrt()
    }

    /// A direction of the plane as it is seen in the picture: how far to the right, and how far down.
    pub fn seen(&self, direction: [f64; 2]) -> [f64; 2] {
        let direction = self.turn.map_or(direction, |Turn { cos, sin, .. }| {
            let [x, y] = direction;
            [x * cos + y * sin, y * cos - x * sin]
        });
        [
            direction[0] * self.across.length().signum(),
            direction[1] * self.down.length().signum(),
        ]
    }
}

impl Axis {
    fn new(from: f64, to: f64, pixels: u32) -> Self {
        Self { from, to, pixels }
    }

    fn length(&self) -> f64 {
        self.to - self.from
    }

    /// A part of it, with so many pixels.
    fn part(&self, part: Range<f64>, pixels: u32) -> Self {
        let at = |part: f64| self.from + self.length() * part;
        Self::new(at(part.start), at(part.end), pixels)
    }

    /// The coordinate of a pixel. The order of operations is part of the contract: another one rounds differently.
    fn at(&self, pixel: u32) -> f64 {
        if self.pixels == 1 {
            return self.from;
        }
        f64::from(pixel) * self.length() / f64::from(self.pixels - 1) + self.from
    }

    /// The coordinate of a sample. A single one lies where the pixel does.
    fn sample(&self, Place { pixel, sample, of }: Place) -> f64 {
        let within = (f64::from(2 * sample + 1) / f64::from(2 * of)) - 0.5;
        let pixels = f64::from(self.pixels.max(2) - 1);
        (f64::from(pixel) + within) * self.length() / pixels + self.from
    }
}

impl Columns {
    /// With these real parts.
    pub fn new(mut re: Vec<f64>) -> Self {
        re.extend([0.0; BEHIND]);
        Self { re, im: None }
    }

    fn len(&self) -> usize {
        self.re.len() - BEHIND
    }
}

impl Rows {
    /// With these imaginary parts.
    pub fn new(im: Vec<f64>) -> Self {
        Self { im, re: None }
    }
}

impl<'a> Pixels<'a> {
    /// Where these meet.
    pub fn new(columns: &'a Columns, rows: &'a Rows) -> Self {
        Self { columns, rows }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.rows.im.len()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.width() * self.height()
    }

    /// One of them, by its number.
    pub fn point(&self, index: usize) -> Complex<f64> {
        let (row, column) = (index / self.width(), index % self.width());
        let (re, im) = (self.columns.re[column], self.rows.im[row]);
        match (&self.columns.im, &self.rows.re) {
            (Some(more_im), Some(more_re)) => Complex::new(re + more_re[row], im + more_im[column]),
            _ => Complex::new(re, im),
        }
    }

    /// So many from a column on; behind the last one there may be up to [`BEHIND`] that nobody asks for.
    #[inline(always)]
    pub fn segment(&self, row: usize, column: usize, len: usize) -> Segment<'a> {
        Segment {
            re: &self.columns.re[column..][..len],
            im: self.rows.im[row],
            turned: match (&self.columns.im, &self.rows.re) {
                (Some(im), Some(re)) => Some((&im[column..][..len], re[row])),
                _ => None,
            },
        }
    }
}

impl Segment<'_> {
    /// A vector of them, from one on.
    #[inline(always)]
    pub fn load<V: Vector>(&self, from: usize) -> Complex<V> {
        let (re, im) = (V::load(&self.re[from..]), V::splat(self.im));
        match self.turned {
            None => Complex::new(re, im),
            Some((more_im, more_re)) => {
                Complex::new(re + V::splat(more_re), im + V::load(&more_im[from..]))
            }
        }
    }
}

/// Sine and cosine of an angle in degrees: the same on every machine, and exact for quarters of a turn.
fn sin_cos(degrees: f64) -> (f64, f64) {
    let quarters = (degrees / 90.0).round();
    let rest = (degrees - quarters * 90.0).to_radians();
    let (sin, cos) = (libm::sin(rest), libm::cos(rest));
    match (quarters as i64).rem_euclid(4) {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}
