//! Which part of the complex plane a picture shows.

use crate::limits::{FieldError, Mistake};
use serde::{Deserialize, Serialize};

/// A rectangle of the complex plane: the first column of pixels lies on its left edge, the last on its right edge, the
/// first row on its top edge and the last on its bottom edge. Either axis may run backwards, which mirrors the picture.
///
/// How coordinates are kept is nobody's business but this type's and the kernel's plane's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Real part at the left edge.
    xa: f64,
    /// Real part at the right edge.
    xb: f64,
    /// Imaginary part at the top edge.
    ya: f64,
    /// Imaginary part at the bottom edge.
    yb: f64,
    /// Degrees by which the picture is turned counter-clockwise about its centre.
    #[serde(default, skip_serializing_if = "is_zero")]
    rotation: f64,
}

impl View {
    /// The rectangle with real part `xa` at the left edge and `xb` at the right one, imaginary part `ya` at the top edge
    /// and `yb` at the bottom one.
    pub fn rectangle(xa: f64, xb: f64, ya: f64, yb: f64) -> Self {
        Self {
            xa,
            xb,
            ya,
            yb,
            rotation: 0.0,
        }
    }

    /// The same, turned: what the picture shows turns counter-clockwise about its centre by so many degrees, and the
    /// rectangle by as many the other way. Edges keep their names, and their coordinates without rotation.
    #[must_use]
    pub fn rotated(self, degrees: f64) -> Self {
        Self {
            rotation: degrees,
            ..self
        }
    }

    /// What [`rotated`](Self::rotated) was given; 0 for a view that is not.
    pub fn rotation(&self) -> f64 {
        self.rotation
    }

    /// What [`rectangle`](Self::rectangle) was given. Only for those who compute with coordinates: the kernel's plane and
    /// the table of fields.
    pub fn edges(&self) -> [f64; 4] {
        [self.xa, self.xb, self.ya, self.yb]
    }

    /// The point in the middle, as precise as an f64 is: to read, not to compute with.
    pub fn centre(&self) -> (f64, f64) {
        // Adding zero turns a negative one into a positive one.
        let middle = |a: f64, b: f64| a.midpoint(b) + 0.0;
        (middle(self.xa, self.xb), middle(self.ya, self.yb))
    }

    /// The point that lies at these parts, 0 to 1, of the way from left to right and from top to bottom; as precise as an
    /// f64 is.
    pub fn point(&self, right: f64, down: f64) -> (f64, f64) {
        let along = |from: f64, to: f64, part: f64| part * (to - from) + from;
        (
            along(self.xa, self.xb, right),
            along(self.ya, self.yb, down),
        )
    }

    /// Checks that the view is no line and no point. The range of each coordinate is in the table of fields.
    ///
    /// # Errors
    /// Names the first edge of an empty span.
    pub fn check(&self) -> Result<(), FieldError> {
        for (a, b, first, second) in [
            ("xa", "xb", self.xa, self.xb),
            ("ya", "yb", self.ya, self.yb),
        ] {
            if first == second {
                let reason = format!("must differ from {b}, and both are {first}");
                return Err(FieldError::new(a, Mistake::Range, reason));
            }
        }
        Ok(())
    }
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}
