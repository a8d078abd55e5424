//! How the ends of orbits become colours.

use crate::limits::{FieldError, Mistake};
use crate::{Palette, Rgb};
use serde::{Deserialize, Serialize};

/// The most stops of a gradient, so that a recipe stays a few KiB.
pub const MOST_STOPS: usize = 64;
/// The least and the greatest density.
pub const DENSITIES: std::ops::RangeInclusive<f64> = 0.001..=1000.0;
/// The least and the greatest offset.
pub const OFFSETS: std::ops::RangeInclusive<f64> = -2.0..=2.0;
/// The most samples across a pixel, and as many down.
pub const MOST_SAMPLES: u32 = 8;

/// Everything about colours that the palette leaves open. What a recipe does not say is not written either, so that
/// recipes from before there was any of it look as they always did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Colours {
    /// What of an orbit becomes a colour; without it what [`Palette::colouring`] says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colouring: Option<Colouring>,
    /// The stops of [`Palette::Gradient`], by rising position.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gradient: Vec<Stop>,
    /// How much faster than usual the palette is passed through.
    #[serde(skip_serializing_if = "is_one")]
    pub density: f64,
    /// Where in the palette it begins, in lengths of the palette. A palette that runs there and back runs backwards
    /// from 1 on.
    #[serde(skip_serializing_if = "is_zero")]
    pub offset: f64,
    /// The colour of what never ends; without it the palette's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interior: Option<Rgb>,
    /// Samples across each pixel, and as many down, 1 to [`MOST_SAMPLES`]. They are averaged in linear light.
    #[serde(skip_serializing_if = "is_single")]
    pub supersampling: u32,
    /// Whether pixels whose corners look alike get no more samples than these four.
    #[serde(skip_serializing_if = "is_false")]
    pub adaptive: bool,
    /// Bits of each channel of a pixel, 8 or 16.
    #[serde(skip_serializing_if = "is_eight")]
    pub depth: u32,
}

/// What of an orbit becomes a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colouring {
    /// The number of iterations, in steps; the palette has 32 of them.
    Classic,
    /// The number of iterations as a continuous number.
    Smooth,
    /// The same, such that each colour covers about as much of the picture as any other.
    Histogram,
    /// The estimated distance to the set.
    Distance,
    /// The smooth colours, lit from the left above as if the potential were a landscape.
    Slope,
    /// How close the orbit came to one of the axes (C. Pickover's stalks).
    Trap,
    /// The average of stripes that the orbit's angles fall on (J. Härkönen).
    Stripe,
    /// The angle at which the orbit leaves, or of the root that it comes to.
    Angle,
}

impl Colouring {
    /// Every colouring.
    pub const ALL: [Self; 8] = [
        Self::Classic,
        Self::Smooth,
        Self::Histogram,
        Self::Distance,
        Self::Slope,
        Self::Trap,
        Self::Stripe,
        Self::Angle,
    ];

    /// The name, as the wire and the command line spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Smooth => "smooth",
            Self::Histogram => "histogram",
            Self::Distance => "distance",
            Self::Slope => "slope",
            Self::Trap => "trap",
            Self::Stripe => "stripe",
            Self::Angle => "angle",
        }
    }

    /// The colouring of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|colouring| colouring.name() == name)
    }
}

/// A place in a gradient, and the colour there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    /// 0 to 1. Behind the last stop the gradient goes on to the first.
    pub position: f64,
    /// The colour.
    pub colour: Rgb,
}

impl Default for Colours {
    fn default() -> Self {
        Self {
            colouring: None,
            gradient: Vec::new(),
            density: 1.0,
            offset: 0.0,
            interior: None,
            supersampling: 1,
            adaptive: false,
            depth: 8,
        }
    }
}

impl Colours {
    /// The same, without saying what goes without saying with that palette.
    #[must_use]
    pub fn natural(mut self, palette: Palette) -> Self {
        self.colouring = self
            .colouring
            .filter(|&colouring| colouring != palette.colouring());
        self
    }

    /// Checks what the fields have to do with each other and with the palette. Their ranges are in the table of fields.
    ///
    /// # Errors
    /// The first field that contradicts another.
    pub fn check(&self, palette: Palette) -> Result<(), FieldError> {
        self.check_gradient(palette)?;
        if self.adaptive && self.supersampling < 3 {
            let reason = "needs a supersampling of 3 or more: it spares all but four samples";
            return Err(FieldError::new("adaptive", Mistake::Range, reason));
        }
        Ok(())
    }

    fn check_gradient(&self, palette: Palette) -> Result<(), FieldError> {
        let wrong = |mistake, reason: String| Err(FieldError::new("gradient", mistake, reason));
        let stops = &self.gradient;
        match palette {
            Palette::Gradient if stops.is_empty() => {
                let reason = "required where the palette is gradient";
                return wrong(Mistake::Missing, reason.to_owned());
            }
            Palette::Gradient => {}
            _ if stops.is_empty() => return Ok(()),
            _ => {
                let reason = format!("the palette is {}, which has its own", palette.name());
                return wrong(Mistake::Range, reason);
            }
        }
        if !(2..=MOST_STOPS).contains(&stops.len()) {
            let reason = format!("must have 2 to {MOST_STOPS} stops, and has {}", stops.len());
            return wrong(Mistake::Range, reason);
        }
        let mut least = 0.0;
        for (number, stop) in stops.iter().enumerate() {
            if !(least..=1.0).contains(&stop.position) {
                let reason = format!(
                    "stop {}: the position must be from {least} to 1, rising from stop to stop, and is {}",
                    number + 1,
                    stop.position
                );
                return wrong(Mistake::Range, reason);
            }
            least = stop.position;
        }
        Ok(())
    }
}

fn is_one(value: &f64) -> bool {
    *value == 1.0
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

fn is_single(value: &u32) -> bool {
    *value == 1
}

fn is_eight(value: &u32) -> bool {
    *value == 8
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_of_what_nobody_said() {
        let text = serde_json::to_string(&Colours::default()).unwrap();
        assert_eq!(text, "{}");
        assert_eq!(
            serde_json::from_str::<Colours>(&text).unwrap(),
            Colours::default()
        );
    }

    #[test]
    fn every_colouring_has_a_name_of_its_own() {
        for colouring in Colouring::ALL {
            assert_eq!(Colouring::named(colouring.name()), Some(colouring));
            let text = serde_json::to_string(&colouring).unwrap();
            assert_eq!(text, format!("{:?}", colouring.name()));
        }
    }

    #[test]
    fn gradients_that_make_no_sense_are_refused() {
        let black = Rgb([0; 3]);
        let stop = move |position| Stop {
            position,
            colour: black,
        };
        let gradient = |stops: &[f64], palette| {
            let colours = Colours {
                gradient: stops.iter().copied().map(stop).collect(),
                ..Colours::default()
            };
            colours.check(palette)
        };
        for stops in [
            &[][..],
            &[0.5],
            &[0.5, 0.4],
            &[0.0, 1.1],
            &[f64::NAN, 1.0],
            &[0.5; MOST_STOPS + 1],
        ] {
            let error = gradient(stops, Palette::Gradient).unwrap_err();
            assert_eq!(error.field, "gradient");
        }
        assert!(gradient(&[0.0, 0.5, 0.5, 1.0], Palette::Gradient).is_ok());
        assert!(gradient(&[0.0, 1.0], Palette::Aurora).is_err());
        assert!(gradient(&[], Palette::Aurora).is_ok());
    }
}
