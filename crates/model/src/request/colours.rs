//! The part of a request that is about colours.

use super::{choice, name, optional_number, short, whole_number};
use crate::limits::{FieldError, Mistake};
use crate::{Colouring, Colours, Palette, Rgb, Stop};
use serde_json::{Map, Value};

/// Reads palette and colours. Whether they are within their bounds is for [`Colours::check`] to say.
pub(super) fn read(object: &Map<String, Value>) -> Result<(Palette, Colours), FieldError> {
    let usual = Colours::default();
    let gradient = gradient(object)?;
    let palettes = Palette::ALL.map(Palette::name);
    let palette = match choice(object, "palette", &palettes, Palette::named)? {
        Some(palette) => palette,
        None if gradient.is_empty() => Palette::default(),
        None => Palette::Gradient,
    };
    let colourings = Colouring::ALL.map(Colouring::name);
    let colours = Colours {
        colouring: choice(object, "colouring", &colourings, Colouring::named)?,
        gradient,
        density: optional_number(object, "density")?.unwrap_or(usual.density),
        offset: optional_number(object, "offset")?.unwrap_or(usual.offset),
        interior: name(object, "interior")?
            .map(|text| colour(text).map_err(|reason| wrong("interior", reason)))
            .transpose()?,
        supersampling: small(object, "supersampling")?.unwrap_or(usual.supersampling),
        adaptive: flag(object, "adaptive")?.unwrap_or(usual.adaptive),
        depth: small(object, "depth")?.unwrap_or(usual.depth),
    };
    Ok((palette, colours.natural(palette)))
}

fn wrong(field: &str, reason: String) -> FieldError {
    FieldError::new(field, Mistake::Range, reason)
}

fn mistyped(field: &str, what: &str, value: &Value) -> FieldError {
    let reason = format!("must be {what}, and is {}", short(value));
    FieldError::new(field, Mistake::Type, reason)
}

fn present<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    object.get(field).filter(|value| !value.is_null())
}

/// A whole number; 0 for one that is far too large or negative, which no field may be.
fn small(object: &Map<String, Value>, field: &str) -> Result<Option<u32>, FieldError> {
    let read = |value| {
        let number = whole_number(value).ok_or_else(|| mistyped(field, "a whole number", value))?;
        u32::try_from(number).map_err(|_| wrong(field, format!("is out of range: {number}")))
    };
    present(object, field).map(read).transpose()
}

fn flag(object: &Map<String, Value>, field: &str) -> Result<Option<bool>, FieldError> {
    let read = |value: &Value| {
        value
            .as_bool()
            .ok_or_else(|| mistyped(field, "true or false", value))
    };
    present(object, field).map(read).transpose()
}

fn colour(text: &str) -> Result<Rgb, String> {
    text.parse()
        .map_err(|error| format!("{error}, and is {}", short(&Value::from(text))))
}

/// Stops, each an object with position and colour.
fn gradient(object: &Map<String, Value>) -> Result<Vec<Stop>, FieldError> {
    let Some(value) = present(object, "gradient") else {
        return Ok(Vec::new());
    };
    let stops = value
        .as_array()
        .filter(|stops| !stops.is_empty())
        .ok_or_else(|| mistyped("gradient", "a list of stops", value))?;
    let read = |(index, value): (usize, &Value)| {
        stop(value).ok_or_else(|| {
            let reason = format!(
                "stop {}: must be like {{\"position\": 0.5, \"colour\": \"#1c5ec2\"}}, and is {}",
                index + 1,
                short(value)
            );
            FieldError::new("gradient", Mistake::Type, reason)
        })
    };
    stops.iter().enumerate().map(read).collect()
}

fn stop(value: &Value) -> Option<Stop> {
    let fields = value.as_object().filter(|fields| fields.len() == 2)?;
    Some(Stop {
        position: fields.get("position")?.as_f64()?,
        colour: fields.get("colour")?.as_str()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::request::CreateRequest;
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
