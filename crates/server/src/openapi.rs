//! The description of the REST interface in OpenAPI 3.1. It is written by hand; a test in `routes.rs` holds
//! it against the routes, and schemathesis against the answers (`e2e/tests/e2e/observe/description.rs`).

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faafo_blob::Hasher;
use faafo_model::formula::{Parameter, all_parameters, having};
use faafo_model::{Colouring, Format, Formula, Palette};
use std::sync::LazyLock;

/// The description, with what the formulas say of themselves in the places that are kept for it.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let kinds: Vec<&str> = Formula::kinds().collect();
    include_str!("openapi.json")
        .replace("%kinds%", &kinds.join("\", \""))
        .replace(
            "%palettes%",
            &Palette::ALL.map(Palette::name).join("\", \""),
        )
        .replace(
            "%colourings%",
            &Colouring::ALL.map(Colouring::name).join("\", \""),
        )
        .replace("%formats%", &Format::ALL.map(Format::name).join("\", \""))
        .replace("\"%told%\": {}", &parameters(true))
        .replace("\"%tells%\": {}", &parameters(false))
});

/// The properties that formulas have besides a constant, in a request or in an answer.
fn parameters(asked: bool) -> String {
    let property = |parameter: &Parameter| {
        let number = if parameter.whole { "integer" } else { "number" };
        let (name, meaning) = (parameter.name, parameter.meaning);
        let (least, most) = (parameter.least, parameter.most);
        let rule = match asked {
            true => {
                format!(r#""type": ["{number}", "null"], "minimum": {least}, "maximum": {most}"#)
            }
            false => r#""type": "number""#.to_owned(),
        };
        let kinds = having(name).join(", ");
        format!(r#""{name}": {{{rule}, "description": "Only of {kinds}: {meaning}."}}"#)
    };
    let properties: Vec<String> = all_parameters().into_values().map(property).collect();
    properties.join(",\n          ")
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
    fn every_kind_and_what_it_can_be_told_is_described() {
        let schemas = &described()["components"]["schemas"];
        let kinds: Vec<&str> = Formula::kinds().collect();
        assert_eq!(schemas["Kind"]["enum"], serde_json::json!(kinds));
        for name in all_parameters().keys() {
            assert!(schemas["Recipe"]["properties"][name]["maximum"].is_number());
            assert!(schemas["Fractal"]["properties"][name].is_object());
        }
        assert!(!DOCUMENT.contains('%'), "a place that nothing was put into");
    }
}
