//! A request for a fractal, read from JSON field by field so that every mistake names its field.

mod read;

use crate::limits::{FieldError, Limits, MAX_PRIORITY, Mistake};
use crate::{FIELDS, Formula, Recipe, Uuid, View, draw};
use faafo_formula::{Constant, KINDS, kind_named};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Fields of a fractal that a request may not set, because only a worker's result does.
const RESULT_FIELDS: [&str; 13] = [
    "checksum",
    "duration",
    "generated_by",
    "image",
    "size",
    "url",
    "state",
    "progress",
    "error",
    "attempt",
    "created_at",
    "finished_at",
    "thumbnail",
];

/// Fields that a request may set besides the recipe's.
const OWN_FIELDS: [&str; 2] = ["uuid", "priority"];

/// A valid request: the recipe is complete.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateRequest {
    /// The name the client chose, if it did.
    pub id: Option<Uuid>,
    /// What to render.
    pub recipe: Recipe,
    /// How urgent it is; 0 unless the client said otherwise.
    pub priority: i64,
    /// If it is to be rendered in bands: the pixels that one may have at most.
    pub band_area: Option<u64>,
}

impl CreateRequest {
    /// Reads and checks a request. `kind` is `julia` when absent, the palette is the default one, and a Julia
    /// constant that is not given is drawn with `rng`, so that the recipe is complete from here on.
    ///
    /// # Errors
    /// The first field that is unknown, missing, of the wrong type or out of range.
    pub fn parse(
        object: &Map<String, Value>,
        limits: &Limits,
        rng: &mut fastrand::Rng,
    ) -> Result<Self, FieldError> {
        for field in object.keys() {
            check_known(field)?;
        }
        let id = object
            .get("uuid")
            .filter(|value| !value.is_null())
            .map(parse_uuid)
            .transpose()?;
        let priority = match object.get("priority") {
            None | Some(Value::Null) => 0,
            Some(value) => parse_priority(value)?,
        };
        let mut document = read::fields(object)?;
        let view = read::part::<View>(&document)?;
        view.check()?;
        let formula = formula(object, &view, rng)?;
        document.extend(read::document(&formula));
        let mut recipe = read::part::<Recipe>(&document)?;
        recipe.colours = recipe.colours.natural(recipe.palette);
        limits.check(&recipe)?;
        Ok(Self {
            id,
            band_area: limits.bands(&recipe),
            recipe,
            priority,
        })
    }
}

fn check_known(field: &str) -> Result<(), FieldError> {
    let parameters = parameter_names();
    let known = || {
        OWN_FIELDS
            .into_iter()
            .chain(FIELDS.iter().map(|field| field.name))
    };
    if known().any(|known| known == field) || parameters.contains(field) {
        return Ok(());
    }
    let reason = if RESULT_FIELDS.contains(&field) {
        "only a worker's result may set it".to_owned()
    } else {
        let fields: Vec<&str> = known().chain(parameters).collect();
        format!("no such field; there are {}", fields.join(", "))
    };
    Err(FieldError::new(field, Mistake::Unknown, reason))
}

/// Reads the `uuid` field.
///
/// # Errors
/// Anything but a UUID in its usual form.
pub fn parse_uuid(value: &Value) -> Result<Uuid, FieldError> {
    value
        .as_str()
        .filter(|text| text.len() == 36)
        .and_then(|text| Uuid::try_parse(text).ok())
        .ok_or_else(|| {
            let reason = format!(
                "must be a UUID such as 9d1c8f0e-5a75-4c1c-9e3a-0d6d2b7c1f42, and is {}",
                short(value)
            );
            FieldError::new("uuid", Mistake::Type, reason)
        })
}

/// A whole number, also one that is written as 5.0.
pub fn whole_number(value: &Value) -> Option<i64> {
    let as_written = value.as_i64();
    as_written.or_else(|| {
        let number = value.as_f64()?;
        // Beyond that not every whole number is an f64.
        (number.fract() == 0.0 && number.abs() <= 9e15).then_some(number as i64)
    })
}

/// Reads the `priority` field.
///
/// # Errors
/// Anything but a whole number from -100 to 100.
pub fn parse_priority(value: &Value) -> Result<i64, FieldError> {
    let error = |kind| {
        let reason = format!(
            "must be a whole number from -{MAX_PRIORITY} to {MAX_PRIORITY}, and is {}",
            short(value)
        );
        FieldError::new("priority", kind, reason)
    };
    let number = whole_number(value).ok_or_else(|| error(Mistake::Type))?;
    if (-MAX_PRIORITY..=MAX_PRIORITY).contains(&number) {
        Ok(number)
    } else {
        Err(error(Mistake::Range))
    }
}

fn formula(
    object: &Map<String, Value>,
    view: &View,
    rng: &mut fastrand::Rng,
) -> Result<Formula, FieldError> {
    let name = object.get("kind").and_then(Value::as_str);
    let kind = name.and_then(kind_named).unwrap_or(KINDS[0]);
    let given = (
        optional_number(object, "cx")?,
        optional_number(object, "cy")?,
    );
    let missing = |field, other| {
        FieldError::new(
            field,
            Mistake::Missing,
            format!("required where {other} is given"),
        )
    };
    let constant = match given {
        (Some(cx), Some(cy)) => Some((cx, cy)),
        (Some(_), None) => return Err(missing("cy", "cx")),
        (None, Some(_)) => return Err(missing("cx", "cy")),
        (None, None) if kind.constant == Constant::Needed => Some(draw::julia_constant(view, rng)),
        (None, None) => None,
    };
    let mut formula = Formula::new(kind, constant).ok_or_else(|| {
        let reason = format!("{} has no constant", kind.title);
        FieldError::new("cx", Mistake::Unknown, reason)
    })?;
    for field in parameter_names() {
        let Some(value) = optional_number(object, field)? else {
            continue;
        };
        if formula.set(field, value) {
            continue;
        }
        let mut known = kind.parameters.iter();
        let (mistake, reason) = match known.find(|parameter| parameter.name == field) {
            Some(parameter) => (
                Mistake::Range,
                format!("must be {}, and is {value}", parameter.range()),
            ),
            None => (Mistake::Unknown, format!("{} has no {field}", kind.title)),
        };
        return Err(FieldError::new(field, mistake, reason));
    }
    Ok(formula)
}

/// The names of all formulas' parameters, each once.
pub fn parameter_names() -> BTreeSet<&'static str> {
    let parameters = KINDS.iter().flat_map(|kind| kind.parameters);
    parameters.map(|parameter| parameter.name).collect()
}

fn optional_number(object: &Map<String, Value>, field: &str) -> Result<Option<f64>, FieldError> {
    object
        .get(field)
        .filter(|value| !value.is_null())
        .map(|value| finite(field, value))
        .transpose()
}

fn finite(field: &str, value: &Value) -> Result<f64, FieldError> {
    value
        .as_f64()
        .filter(|number| number.is_finite())
        .ok_or_else(|| {
            FieldError::new(
                field,
                Mistake::Type,
                format!("must be a finite number, and is {}", short(value)),
            )
        })
}

/// A value as an error message quotes it: not a megabyte of it.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Palette};
    use serde_json::json;

    fn parse(changes: Value) -> Result<CreateRequest, FieldError> {
        let mut object = json!({"width": 41, "height": 30, "iterations": 20,
            "xa": -1.5, "xb": 1.5, "ya": -1.0, "yb": 1.0});
        for (key, value) in changes.as_object().unwrap() {
            object[key] = value.clone();
        }
        CreateRequest::parse(
            object.as_object().unwrap(),
            &Limits::default(),
            &mut fastrand::Rng::with_seed(1),
        )
    }

    #[test]
    fn an_old_client_s_request_is_a_julia_set_with_a_constant_drawn() {
        let request = parse(json!({"uuid": "00000000-0000-4000-8000-000000000001"})).unwrap();
        assert_eq!(
            request.id.unwrap().to_string(),
            "00000000-0000-4000-8000-000000000001"
        );
        assert!(request.recipe.formula.constant().is_some());
        assert_eq!(request.recipe.palette, Palette::Aurora);
    }

    #[test]
    fn numbers_are_stored_where_they_are_asked_for_and_pictures_elsewhere() {
        let recipe = |changes| parse(changes).unwrap().recipe;
        let picture = recipe(json!({}));
        assert_eq!(picture.format, Format::Png);
        assert!(
            !picture.to_json().contains("format"),
            "as recipes always were"
        );
        for nothing in [json!("png"), json!(null)] {
            assert_eq!(recipe(json!({"format": nothing})).format, Format::Png);
        }
        let numbers = recipe(json!({"format": "npy", "palette": "magma", "supersampling": 3}));
        assert_eq!(numbers.format, Format::Npy);
        let text = numbers.to_json();
        assert!(text.contains("\"format\":\"npy\""), "{text}");
        assert_eq!(serde_json::from_str::<Recipe>(&text).unwrap(), numbers);
    }

    #[test]
    fn every_bad_value_is_refused_under_its_own_name() {
        for (field, value) in [
            ("width", json!(0)),
            ("width", json!(-5)),
            ("width", json!("64")),
            ("width", json!("abc")),
            ("width", json!(true)),
            ("width", json!(null)),
            ("width", json!(1u64 << 40)),
            ("width", json!(1e30)),
            ("width", json!(100_001)),
            ("height", json!(0.4)),
            ("height", json!([1])),
            ("iterations", json!(0)),
            ("iterations", json!(-1)),
            ("iterations", json!(10_000_001)),
            ("xa", json!("abc")),
            ("xa", json!("1.5")),
            ("xb", json!(1e101)),
            ("ya", json!(null)),
            ("yb", json!({})),
            ("xa", json!(1.5)),
            ("ya", json!(1.0)),
            ("uuid", json!("hello world")),
            ("uuid", json!(7)),
            ("uuid", json!("")),
            ("uuid", json!("a/b")),
            ("uuid", json!("00000000000040008000000000000001")),
            ("kind", json!("neutron")),
            ("kind", json!(3)),
            ("palette", json!("neon")),
            ("format", json!("gif")),
            ("format", json!("PNG")),
            ("format", json!(1)),
            ("checksum", json!("abc")),
            ("image", json!("aGVsbG8=")),
            ("foo", json!(1)),
            ("state", json!("done")),
            ("cx", json!("i")),
            ("priority", json!(101)),
            ("priority", json!(0.5)),
            ("priority", json!("high")),
        ] {
            let error = parse(json!({field: value})).expect_err(&format!("{field} = {value}"));
            assert_eq!(error.field, field, "{error}");
        }
    }

    #[test]
    fn of_a_request_that_lacks_everything_the_width_is_named() {
        let rng = &mut fastrand::Rng::with_seed(1);
        let error = CreateRequest::parse(&Map::new(), &Limits::default(), rng).unwrap_err();
        assert_eq!(error.field, "width");
    }

    #[test]
    fn half_a_constant_names_the_other_half() {
        assert_eq!(parse(json!({"cx": 0.1})).unwrap_err().field, "cy");
        assert_eq!(parse(json!({"cy": 0.1})).unwrap_err().field, "cx");
    }

    #[test]
    fn what_a_formula_can_not_be_told_is_refused_under_its_own_name() {
        for (request, field) in [
            (json!({"kind": "mandelbrot", "cx": 0.1, "cy": 0.1}), "cx"),
            (json!({"kind": "newton", "cx": 0.1, "cy": 0.1}), "cx"),
            (json!({"kind": "celtic", "power": 3}), "power"),
            (json!({"power": 3}), "power"),
            (json!({"kind": "multibrot", "power": 1}), "power"),
            (json!({"kind": "multibrot", "power": 2.5}), "power"),
            (json!({"kind": "multibrot", "power": "x"}), "power"),
            (json!({"kind": "phoenix", "memory": 5}), "memory"),
        ] {
            assert_eq!(
                parse(request.clone()).unwrap_err().field,
                field,
                "{request}"
            );
        }
    }

    #[test]
    fn every_kind_can_be_asked_for_by_its_name_alone() {
        for kind in KINDS {
            let formula = parse(json!({"kind": kind.name})).unwrap().recipe.formula;
            assert_eq!(formula.about(), *kind);
            let defaults: Vec<f64> = formula.parameters().map(|(_, value)| value).collect();
            assert_eq!(defaults, kind.defaults()[..defaults.len()]);
        }
        let ship = parse(json!({"kind": "burning-ship", "cx": -1.5, "cy": 0.1})).unwrap();
        assert_eq!(ship.recipe.formula.constant(), Some((-1.5, 0.1)));
        let nova = parse(json!({"kind": "nova", "relaxation": 1.5, "power": 4})).unwrap();
        assert_eq!(nova.recipe.formula.values(), [4.0, 1.5]);
    }

    #[test]
    fn a_picture_beyond_the_area_limit_is_refused_by_its_longer_side() {
        let error = parse(json!({"width": 20_000, "height": 100_000})).unwrap_err();
        assert_eq!(error.field, "height");
        assert!(error.reason.contains("400000000"), "{error}");
    }

    #[test]
    fn fractions_of_pixels_round_as_they_always_did() {
        assert_eq!(parse(json!({"width": 64.7})).unwrap().recipe.width, 65);
    }

    #[test]
    fn a_long_value_is_quoted_short() {
        assert!(
            parse(json!({"xa": "é".repeat(1_000_000)}))
                .unwrap_err()
                .reason
                .len()
                < 300
        );
    }
}
