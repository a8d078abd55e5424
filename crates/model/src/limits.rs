//! What a recipe may ask for, and the error that names the field that asks for too much.

use crate::{Recipe, View};

/// The largest side of a picture, in pixels.
pub const MAX_SIDE: u32 = 100_000;
/// The most iterations a recipe may spend on a pixel.
pub const MAX_ITERATIONS: u32 = 10_000_000;
/// The greatest priority, and negated the least.
pub const MAX_PRIORITY: i64 = 100;
/// The largest magnitude of a coordinate. Everything computed from a view then stays finite.
pub const MAX_COORDINATE: f64 = 1e100;

/// The limits that an installation chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest width × height, in pixels.
    pub max_area: u64,
    /// The largest width × height rendered as one task, in pixels; what is larger is rendered in bands of at most so many.
    pub band_area: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_area: 400_000_000,
            band_area: 128_000_000,
        }
    }
}

/// A field that can't be accepted, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct FieldError {
    /// The field's name on the wire.
    pub field: String,
    /// What is wrong, with the allowed range.
    pub reason: String,
    /// What kind of mistake it is.
    pub kind: Mistake,
}

/// Kinds of mistakes in a field; old clients were told them apart by different answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// No such field, or not one that this caller may set.
    Unknown,
    /// Required, and absent or null.
    Missing,
    /// Of another type than the field has.
    Type,
    /// Outside what is allowed.
    Range,
}

impl FieldError {
    /// An error about `field`.
    pub fn new(field: &str, kind: Mistake, reason: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            reason: reason.into(),
            kind,
        }
    }
}

impl Limits {
    /// Checks every value of a recipe.
    ///
    /// # Errors
    /// The first field found outside its range.
    pub fn check(&self, recipe: &Recipe) -> Result<(), FieldError> {
        within("width", recipe.width, 1, MAX_SIDE)?;
        within("height", recipe.height, 1, MAX_SIDE)?;
        self.check_area(recipe.width, recipe.height)?;
        within("iterations", recipe.iterations, 1, MAX_ITERATIONS)?;
        check_view(&recipe.view)?;
        recipe.colours.check(recipe.palette)?;
        self.check_samples(recipe)?;
        match recipe.formula.constant() {
            Some((cx, cy)) => check_coordinate("cx", cx).and(check_coordinate("cy", cy)),
            None => Ok(()),
        }
    }

    /// The area of bands that the recipe is rendered in, if it is one for bands.
    pub fn bands(&self, recipe: &Recipe) -> Option<u64> {
        let area = u64::from(recipe.width) * u64::from(recipe.height);
        (area > self.band_area).then_some(self.band_area)
    }

    /// Supersampling multiplies the work: a picture that is as large as allowed may have so many samples a pixel.
    fn check_samples(&self, recipe: &Recipe) -> Result<(), FieldError> {
        const MOST_PER_PIXEL: u64 = 16;
        let area = u64::from(recipe.width) * u64::from(recipe.height);
        let samples = area * u64::from(recipe.colours.supersampling).pow(2);
        let most = self.max_area.saturating_mul(MOST_PER_PIXEL);
        if recipe.colours.supersampling == 1 || samples <= most {
            return Ok(());
        }
        let reason = format!("makes {samples} samples, and there may be at most {most} here");
        Err(FieldError::new("supersampling", Mistake::Range, reason))
    }

    fn check_area(&self, width: u32, height: u32) -> Result<(), FieldError> {
        let area = u64::from(width) * u64::from(height);
        if area <= self.max_area {
            return Ok(());
        }
        // The longer side is the one to shorten.
        let field = if width >= height { "width" } else { "height" };
        let reason = format!(
            "width × height must be at most {} pixels here, and {width} × {height} = {area}",
            self.max_area
        );
        Err(FieldError::new(field, Mistake::Range, reason))
    }
}

fn within(field: &str, value: u32, least: u32, most: u32) -> Result<(), FieldError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let reason = format!("must be a whole number from {least} to {most}, and is {value}");
    Err(FieldError::new(field, Mistake::Range, reason))
}

/// Checks a view: finite coordinates that span a rectangle.
///
/// # Errors
/// The first field outside its range; for an empty span its first edge.
pub fn check_view(view: &View) -> Result<(), FieldError> {
    check_coordinate("xa", view.xa)?;
    check_coordinate("xb", view.xb)?;
    check_coordinate("ya", view.ya)?;
    check_coordinate("yb", view.yb)?;
    for (a, b, first, second) in [
        ("xa", "xb", view.xa, view.xb),
        ("ya", "yb", view.ya, view.yb),
    ] {
        if first == second {
            let reason = format!("must differ from {b}, and both are {first}");
            return Err(FieldError::new(a, Mistake::Range, reason));
        }
    }
    Ok(())
}

fn check_coordinate(field: &str, value: f64) -> Result<(), FieldError> {
    if value.abs() <= MAX_COORDINATE {
        return Ok(());
    }
    let reason = format!("must be a finite number from -1e100 to 1e100, and is {value}");
    Err(FieldError::new(field, Mistake::Range, reason))
}
