//! Which function a recipe iterates, with its constants.

pub use faafo_formula::{Constant, KINDS, Kind, Parameter};
use faafo_formula::{MOST_PARAMETERS, kind_named};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// The iterated function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Formula {
    /// z ← z² + c, starting from z = p, with one constant c for the whole picture.
    Julia {
        /// Real part of c.
        cx: f64,
        /// Imaginary part of c.
        cy: f64,
    },
    /// z ← z² + p, starting from z = 0.
    Mandelbrot,
    /// Another one of [`KINDS`].
    Other(Family),
}

/// A formula that is told more than a constant, or another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    kind: &'static Kind,
    constant: Option<(f64, f64)>,
    parameters: [f64; MOST_PARAMETERS],
}

/// All that some formula can be told besides a constant, by name.
pub fn all_parameters() -> BTreeMap<&'static str, &'static Parameter> {
    let parameters = KINDS.iter().flat_map(|kind| kind.parameters);
    parameters
        .map(|parameter| (parameter.name, parameter))
        .collect()
}

/// The kinds that can be told this.
pub fn having(parameter: &str) -> Vec<&'static str> {
    let has = |kind: &&&Kind| kind.parameters.iter().any(|known| known.name == parameter);
    KINDS.iter().filter(has).map(|kind| kind.name).collect()
}

/// What a document calls the values of a formula's parameters.
pub const PARAMETERS: &str = "parameters";

/// A formula in a message.
#[derive(Serialize, Deserialize)]
struct Wire {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cx: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cy: Option<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<String, f64>,
}

impl Formula {
    /// Every kind's name, as the wire and the command line spell it.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|kind| kind.name)
    }

    /// A formula of that kind with its parameters' defaults. `None` where the kind lacks a constant that it needs, or
    /// has none.
    pub fn new(kind: &'static Kind, constant: Option<(f64, f64)>) -> Option<Self> {
        match (kind.constant, constant) {
            (Constant::Pixel | Constant::Unused, Some(_)) | (Constant::Needed, None) => None,
            _ => Some(match (kind.name, constant) {
                ("julia", Some((cx, cy))) => Self::Julia { cx, cy },
                ("mandelbrot", _) => Self::Mandelbrot,
                _ => Self::Other(Family {
                    kind,
                    constant,
                    parameters: kind.defaults(),
                }),
            }),
        }
    }

    /// What is known about its kind.
    pub fn about(&self) -> &'static Kind {
        match self {
            Self::Julia { .. } => KINDS[0],
            Self::Mandelbrot => KINDS[1],
            Self::Other(family) => family.kind,
        }
    }

    /// The name of this kind.
    pub fn kind(&self) -> &'static str {
        self.about().name
    }

    /// The constant c, if there is one.
    pub fn constant(&self) -> Option<(f64, f64)> {
        match *self {
            Self::Julia { cx, cy } => Some((cx, cy)),
            Self::Mandelbrot => None,
            Self::Other(family) => family.constant,
        }
    }

    /// What else it is told, in its kind's order; behind that zeros.
    pub fn values(&self) -> [f64; MOST_PARAMETERS] {
        match self {
            Self::Other(family) => family.parameters,
            _ => [0.0; MOST_PARAMETERS],
        }
    }

    /// What else it is told, by name.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let names = self
            .about()
            .parameters
            .iter()
            .map(|parameter| parameter.name);
        names.zip(self.values())
    }

    /// Tells it something else. Whether it has such a parameter, and that may have the value.
    #[must_use]
    pub fn set(&mut self, name: &str, value: f64) -> bool {
        let Self::Other(family) = self else {
            return false;
        };
        let mut known = family.kind.parameters.iter().zip(&mut family.parameters);
        let place = known.find(|(parameter, _)| parameter.name == name);
        match place {
            Some((parameter, place)) if parameter.allows(value) => {
                *place = value;
                true
            }
            _ => false,
        }
    }

    /// The formula of that kind, constant and parameters; `None` if there is no such.
    pub fn from_parts(
        kind: &str,
        constant: Option<(f64, f64)>,
        parameters: impl IntoIterator<Item = (String, f64)>,
    ) -> Option<Self> {
        let mut formula = Self::new(kind_named(kind)?, constant)?;
        let mut parameters = parameters.into_iter();
        parameters
            .all(|(name, value)| formula.set(&name, value))
            .then_some(formula)
    }
}

impl Serialize for Formula {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let constant = self.constant();
        let named = |(name, value): (&str, f64)| (name.to_owned(), value);
        Wire {
            kind: self.kind().to_owned(),
            cx: constant.map(|(cx, _)| cx),
            cy: constant.map(|(_, cy)| cy),
            parameters: self.parameters().map(named).collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Formula {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let constant = wire.cx.zip(wire.cy);
        Self::from_parts(&wire.kind, constant, wire.parameters)
            .ok_or_else(|| D::Error::custom(format!("no formula {:?} like this", wire.kind)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_way_through_a_message() {
        for kind in KINDS {
            for constant in [None, Some((0.1, -2.123456789012345))] {
                let Some(formula) = Formula::new(kind, constant) else {
                    continue;
                };
                let text = serde_json::to_string(&formula).unwrap();
                assert_eq!(serde_json::from_str::<Formula>(&text).unwrap(), formula);
                assert_eq!(formula.about(), *kind);
            }
        }
    }

    #[test]
    fn the_classic_kinds_look_as_they_always_did() {
        let julia = Formula::Julia { cx: 0.5, cy: -1.0 };
        let text = serde_json::to_string(&julia).unwrap();
        assert_eq!(text, r#"{"kind":"julia","cx":0.5,"cy":-1.0}"#);
        let text = serde_json::to_string(&Formula::Mandelbrot).unwrap();
        assert_eq!(text, r#"{"kind":"mandelbrot"}"#);
    }

    #[test]
    fn formulas_that_make_no_sense_are_refused() {
        for text in [
            r#"{"kind":"julia"}"#,
            r#"{"kind":"mandelbrot","cx":1.0,"cy":1.0}"#,
            r#"{"kind":"none"}"#,
            r#"{"kind":"multibrot","parameters":{"power":2.5}}"#,
            r#"{"kind":"multibrot","parameters":{"power":1000}}"#,
            r#"{"kind":"multibrot","parameters":{"size":3}}"#,
            r#"{"kind":"celtic","parameters":{"power":3}}"#,
        ] {
            assert!(serde_json::from_str::<Formula>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parameters_have_bounds_that_hold_their_defaults() {
        for parameter in KINDS.iter().flat_map(|kind| kind.parameters) {
            assert!(parameter.allows(parameter.default));
            assert!(!parameter.allows(parameter.most + 1.0));
            assert!(!parameter.allows(f64::NAN));
            assert!(parameter.range().contains(&parameter.least.to_string()));
        }
        for parameter in KINDS.iter().flat_map(|kind| kind.parameters) {
            // One field, one range, whichever kind it is for.
            assert_eq!(parameter.range(), all_parameters()[parameter.name].range());
            assert!(!having(parameter.name).is_empty());
        }
        let kinds: Vec<&str> = Formula::kinds().collect();
        let distinct: std::collections::BTreeSet<_> = kinds.iter().collect();
        assert_eq!(distinct.len(), kinds.len());
        assert_eq!(kinds[..2], ["julia", "mandelbrot"]);
    }
}
