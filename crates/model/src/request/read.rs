//! The fields of a recipe in a request: from JSON as people write it to the document.

use super::{short, whole_number};
use crate::fields::{FIELDS, Field, Holds, Value as Scalar};
use crate::limits::{FieldError, Mistake};
use crate::{Palette, Rgb, Stop};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Reads all fields of the table that are given. Each by itself is within its range then.
///
/// # Errors
/// The first field that is missing, of the wrong type or out of range.
pub(super) fn fields(object: &Map<String, Value>) -> Result<Map<String, Value>, FieldError> {
    let mut document = Map::new();
    // Of several mistakes, those in whole numbers are told first, as they always were.
    let whole = |field: &&Field| field.holds == Holds::Whole;
    let others = FIELDS.iter().filter(|field| !whole(field));
    for field in FIELDS.iter().filter(whole).chain(others) {
        match object.get(field.name).filter(|value| !value.is_null()) {
            Some(value) => {
                document.insert(field.name.to_owned(), field.read(value)?);
            }
            None if field.required => {
                return Err(FieldError::new(field.name, Mistake::Missing, "required"));
            }
            None => {}
        }
    }
    if document.contains_key("gradient") {
        let palette = document.entry("palette");
        palette.or_insert_with(|| Palette::Gradient.name().into());
    }
    Ok(document)
}

/// The part of a document that is of some type.
///
/// # Errors
/// What the table of fields and that type don't agree about.
pub(super) fn part<T: DeserializeOwned>(document: &Map<String, Value>) -> Result<T, FieldError> {
    serde_json::from_value(Value::Object(document.clone()))
        .map_err(|error| FieldError::new("recipe", Mistake::Type, error.to_string()))
}

/// A part of a recipe as it stands in the document.
pub(super) fn document(part: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(part) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

impl Field {
    /// Reads a value as a request may spell it.
    ///
    /// # Errors
    /// A value of the wrong type or out of range.
    fn read(&self, value: &Value) -> Result<Value, FieldError> {
        let expected = |mistake, what: &str| {
            let reason = format!("must be {what}, and is {}", short(value));
            FieldError::new(self.name, mistake, reason)
        };
        let mistyped = || expected(Mistake::Type, self.holds.expected());
        let (scalar, read) = match self.holds {
            Holds::Whole => {
                // A fraction of what was always there is rounded, as the original's databases did.
                let rounded = || value.as_f64().map(|number| number.round() as i64);
                let whole = || whole_number(value);
                let number = if self.classic { rounded() } else { whole() };
                let number = number.ok_or_else(mistyped)?;
                (Scalar::Whole(number), number.into())
            }
            Holds::Real => {
                let number = value.as_f64().filter(|number| number.is_finite());
                // A database may not keep the sign of zero.
                let number = number.ok_or_else(mistyped)? + 0.0;
                (Scalar::Real(number), number.into())
            }
            Holds::Text | Holds::Colour => {
                let text = value.as_str().ok_or_else(mistyped)?;
                let colour = || text.parse::<Rgb>().map(|colour| colour.to_string());
                let read = match self.holds {
                    Holds::Colour => {
                        colour().map_err(|_| expected(Mistake::Range, &self.expected()))?
                    }
                    _ => text.to_owned(),
                };
                (Scalar::Text(text.to_owned()), read.into())
            }
            Holds::Flag => {
                value.as_bool().ok_or_else(mistyped)?;
                return Ok(value.clone());
            }
            Holds::Gradient => {
                let stops = value.as_array().filter(|stops| !stops.is_empty());
                stops
                    .ok_or_else(mistyped)
                    .and_then(|stops| self.stops(stops))?;
                return Ok(value.clone());
            }
        };
        if self.allows(&scalar) {
            Ok(read)
        } else {
            Err(expected(Mistake::Range, &self.expected()))
        }
    }

    /// Checks stops, each an object with position and colour.
    fn stops(&self, stops: &[Value]) -> Result<(), FieldError> {
        for (index, value) in stops.iter().enumerate() {
            let is_stop = value.as_object().is_some_and(|fields| fields.len() == 2);
            if is_stop && serde_json::from_value::<Stop>(value.clone()).is_ok() {
                continue;
            }
            let reason = format!(
                "stop {}: must be like {{\"position\": 0.5, \"colour\": \"#1c5ec2\"}}, and is {}",
                index + 1,
                short(value)
            );
            return Err(FieldError::new(self.name, Mistake::Type, reason));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::CreateRequest;
    use crate::{Colouring, Colours, Limits};
    use serde_json::json;

    fn parse(changes: Value) -> Result<crate::Recipe, FieldError> {
        let mut object = json!({"kind": "mandelbrot", "width": 41, "height": 30, "iterations": 20,
            "xa": -1.5, "xb": 1.5, "ya": -1.0, "yb": 1.0});
        for (key, value) in changes.as_object().unwrap() {
            object[key] = value.clone();
        }
        let rng = &mut fastrand::Rng::with_seed(1);
        let request = CreateRequest::parse(object.as_object().unwrap(), &Limits::default(), rng);
        request.map(|request| request.recipe)
    }

    #[test]
    fn every_setting_can_be_asked_for() {
        let recipe = parse(
            json!({"palette": "magma", "colouring": "distance", "density": 2, "offset": 0.25,
            "interior": "#102030", "supersampling": 4, "adaptive": true, "depth": 16}),
        )
        .unwrap();
        let expected = Colours {
            colouring: Some(Colouring::Distance),
            gradient: Vec::new(),
            density: 2.0,
            offset: 0.25,
            interior: Some(Rgb([0x10, 0x20, 0x30])),
            supersampling: 4,
            adaptive: true,
            depth: 16,
        };
        assert_eq!(
            (recipe.palette, &recipe.colours),
            (Palette::Magma, &expected)
        );
        let text = recipe.to_json();
        assert_eq!(
            serde_json::from_str::<crate::Recipe>(&text).unwrap(),
            recipe
        );
        assert!(!recipe.is_plain());
    }

    #[test]
    fn a_gradient_is_its_own_palette() {
        let stops =
            json!([{"position": 0, "colour": "#000000"}, {"position": 0.5, "colour": "#ffffff"}]);
        let recipe = parse(json!({"gradient": stops})).unwrap();
        assert_eq!(recipe.palette, Palette::Gradient);
        assert_eq!(recipe.colours.gradient.len(), 2);
        let error = parse(json!({"gradient": stops, "palette": "magma"})).unwrap_err();
        assert_eq!(error.field, "gradient");
        let error = parse(json!({"palette": "gradient"})).unwrap_err();
        assert_eq!(
            (error.field.as_str(), error.kind),
            ("gradient", Mistake::Missing)
        );
    }

    #[test]
    fn saying_what_goes_without_saying_changes_nothing() {
        for (palette, colouring) in [("aurora", "smooth"), ("classic", "classic")] {
            let plain = parse(json!({"palette": palette})).unwrap();
            let told = json!({"palette": palette, "colouring": colouring, "density": 1, "offset": 0,
                "interior": null, "supersampling": 1.0, "adaptive": false, "depth": 8, "gradient": null});
            assert_eq!(parse(told).unwrap(), plain);
            assert!(plain.is_plain());
            let text = plain.to_json();
            assert!(
                text.ends_with(&format!("\"palette\":\"{palette}\"}}")),
                "{text}"
            );
        }
        let other = parse(json!({"palette": "aurora", "colouring": "classic"})).unwrap();
        assert!(!other.is_plain());
        assert!(!parse(json!({"palette": "viridis"})).unwrap().is_plain());
    }

    #[test]
    fn every_mistake_names_its_field() {
        for (request, field) in [
            (json!({"palette": "neon"}), "palette"),
            (json!({"colouring": "neon"}), "colouring"),
            (json!({"colouring": 1}), "colouring"),
            (json!({"gradient": "x"}), "gradient"),
            (json!({"gradient": []}), "gradient"),
            (json!({"gradient": [1, 2]}), "gradient"),
            (
                json!({"gradient": [{"position": 0, "colour": "red"}, {"position": 1, "colour": "#000000"}]}),
                "gradient",
            ),
            (
                json!({"gradient": [{"position": 1, "colour": "#000000"}, {"position": 0, "colour": "#000000"}]}),
                "gradient",
            ),
            (json!({"density": "x"}), "density"),
            (json!({"density": 0}), "density"),
            (json!({"offset": 1e9}), "offset"),
            (json!({"interior": "red"}), "interior"),
            (json!({"interior": 7}), "interior"),
            (json!({"supersampling": 2.5}), "supersampling"),
            (json!({"supersampling": -1}), "supersampling"),
            (json!({"supersampling": 9}), "supersampling"),
            (
                json!({"supersampling": 8, "width": 20_000, "height": 20_000}),
                "supersampling",
            ),
            (json!({"adaptive": 1}), "adaptive"),
            (json!({"adaptive": true}), "adaptive"),
            (json!({"depth": 12}), "depth"),
            (json!({"depth": 4_294_967_304u64}), "depth"),
        ] {
            let error = parse(request.clone()).unwrap_err();
            assert_eq!(error.field, field, "{request}");
            assert!(error.reason.len() < 400);
        }
    }
}
