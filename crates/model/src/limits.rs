//! What a recipe may ask for, and the error that names the field that asks for too much.

use crate::Recipe;

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
        recipe.check()?;
        recipe.view.check()?;
        self.check_area(recipe.width, recipe.height)?;
        self.check_samples(recipe)
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
