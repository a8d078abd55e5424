//! The description of the REST interface in OpenAPI 3.1. It is written by hand; a test in `routes.rs` holds
//! it against the routes, and schemathesis against the answers (`e2e/tests/e2e/observe/description.rs`).

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faafo_blob::Hasher;
use faafo_model::fields::{FIELDS, Field, Holds, Literal, Range};
use faafo_model::formula::{Parameter, all_parameters, having};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The description, with the fields of recipes in the places that are kept for them.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    include_str!("openapi.json")
        .replace("\"%asked%\": {}", &properties(asked, asked_of_formula))
        .replace(
            "\"%answered%\": {}",
            &properties(answered, answered_of_formula),
        )
});

/// The properties that a recipe's fields make, and what formulas are told besides a constant.
fn properties(of_field: fn(&Field) -> Value, of_formula: fn(&Parameter) -> Value) -> String {
    let fields = FIELDS.iter().map(|field| (field.name, of_field(field)));
    let parameters = all_parameters().into_values();
    let parameters = parameters.map(|parameter| (parameter.name, of_formula(parameter)));
    let property = |(name, schema): (&str, Value)| format!("{:?}: {schema}", name);
    let properties: Vec<String> = fields.chain(parameters).map(property).collect();
    properties.join(",\n          ")
}

/// What a field holds, wherever it stands.
fn schema(field: &Field) -> Map<String, Value> {
    let schema = match (field.holds, field.range) {
        (Holds::Text, Range::Named(names)) => json!({"type": "string", "enum": names()}),
        (Holds::Whole, Range::OneOf(numbers)) => json!({"type": "integer", "enum": numbers}),
        (Holds::Whole, _) => json!({"type": "integer"}),
        (Holds::Real, _) => json!({"type": "number"}),
        (Holds::Text, _) => json!({"type": "string"}),
        (Holds::Flag, _) => json!({"type": "boolean"}),
        (Holds::Colour, _) => json!({"$ref": "#/components/schemas/Colour"}),
        (Holds::Gradient, _) => json!({"$ref": "#/components/schemas/Gradient"}),
    };
    schema.as_object().cloned().unwrap_or_default()
}

/// A field in a request.
fn asked(field: &Field) -> Value {
    let mut schema = schema(field);
    let mut description = format!("{}.", field.help);
    match field.range {
        Range::Between(least, most) if field.holds == Holds::Whole && field.classic => {
            schema.insert("type".to_owned(), "number".into());
            schema.insert("minimum".to_owned(), (least - 0.5).into());
            schema.insert("exclusiveMaximum".to_owned(), (most + 0.5).into());
            description += &format!(" {least} to {most}; a fraction is rounded.");
        }
        Range::Between(least, most) => {
            schema.insert("minimum".to_owned(), least.into());
            schema.insert("maximum".to_owned(), most.into());
        }
        Range::OneOf(_) | Range::Named(_) | Range::Any => {}
    }
    if !field.required {
        schema = Map::from_iter([("anyOf".to_owned(), json!([schema, {"type": "null"}]))]);
    }
    if let Some(default) = default(field) {
        schema.insert("default".to_owned(), default);
    }
    schema.insert("description".to_owned(), description.into());
    schema.into()
}

/// A field in an answer.
fn answered(field: &Field) -> Value {
    let mut schema = schema(field);
    let mut description = format!("{}.", field.help);
    if field.classic && field.default.is_none() && !field.required {
        schema.insert("type".to_owned(), json!([schema["type"], "null"]));
    }
    if let Some(default) = default(field).filter(|_| !field.classic) {
        description += &format!(" Absent where it is {default}.");
    }
    schema.insert("description".to_owned(), description.into());
    schema.into()
}

fn default(field: &Field) -> Option<Value> {
    Some(match field.default? {
        Literal::Whole(number) => number.into(),
        Literal::Real(number) => number.into(),
        Literal::Text(text) if field.holds == Holds::Flag => (text == "true").into(),
        Literal::Text(text) => text.into(),
    })
}

/// What some formulas are told, in a request.
fn asked_of_formula(parameter: &Parameter) -> Value {
    let number = if parameter.whole { "integer" } else { "number" };
    json!({
        "type": [number, "null"],
        "minimum": parameter.least,
        "maximum": parameter.most,
        "description": meaning(parameter),
    })
}

/// The same in an answer.
fn answered_of_formula(parameter: &Parameter) -> Value {
    json!({"type": "number", "description": meaning(parameter)})
}

fn meaning(parameter: &Parameter) -> String {
    let kinds = having(parameter.name).join(", ");
    format!("Only of {kinds}: {}.", parameter.meaning)
}

/// `GET /openapi.json`
pub(crate) async fn document(headers: HeaderMap) -> Response {
    let mut hasher = Hasher::default();
    let document = DOCUMENT.as_str();
    hasher.update(document.as_bytes());
    let etag = format!("\"{}\"", hasher.finish().key);
    let known = headers.get(header::IF_NONE_MATCH);
    let fixed = [
        (header::ETAG, etag.clone()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if known.is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    (fixed, json, document).into_response()
}

/// The description as it is read.
#[cfg(test)]
pub(crate) fn described() -> serde_json::Value {
    serde_json::from_str(&DOCUMENT).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn it_is_of_this_version_and_refers_to_nothing_that_is_not_there() {
        let document = described();
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        let mut names = BTreeSet::new();
        let mut values = vec![&document];
        while let Some(value) = values.pop() {
            match value {
                Value::Object(object) => {
                    if let Some(target) = object.get("$ref") {
                        let target = target.as_str().unwrap();
                        let pointer = target.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{target}");
                    }
                    // Links name operations as well.
                    let is_operation = object.contains_key("responses");
                    if let Some(name) = object.get("operationId").filter(|_| is_operation) {
                        assert!(names.insert(name.as_str().unwrap()), "{name} twice");
                    }
                    values.extend(object.values());
                }
                Value::Array(array) => values.extend(array),
                _ => {}
            }
        }
        assert!(names.len() > 15);
    }

    #[test]
    fn every_field_and_what_a_formula_can_be_told_is_described() {
        let schemas = &described()["components"]["schemas"];
        let (asked, answered) = (&schemas["Recipe"], &schemas["Fractal"]);
        for name in all_parameters().keys() {
            assert!(asked["properties"][name]["maximum"].is_number());
            assert!(answered["properties"][name].is_object());
        }
        let is_required = |of: &Value, field: &Field| {
            let required = of["required"].as_array().unwrap();
            required.iter().any(|name| name == field.name)
        };
        for field in FIELDS {
            let known = &asked["properties"][field.name];
            assert!(known["description"].as_str().unwrap().contains(field.help));
            assert_eq!(is_required(asked, field), field.required, "{}", field.name);
            assert_eq!(
                is_required(answered, field),
                field.classic,
                "{}",
                field.name
            );
        }
        assert!(!DOCUMENT.contains('%'), "a place that nothing was put into");
    }
}
