//! The original interface's query language: `q={"filters": […], "order_by": […], "limit": …}`.

use crate::error::{ApiError, Result};
use axum::http::StatusCode;
use faafo_model::Timestamp;
use faafo_model::request::whole_number;
use faafo_store::Query;
use faafo_store::query::{Compare, Field, Filter, Order, Type, Value as Operand};
use serde_json::{Map, Value};

/// Conditions in one query at most; databases bound the depth of an expression.
const MOST_TERMS: usize = 200;
/// Patterns (`like`) in one query at most, and parts of one with `%` between them: with each of these comparing takes many
/// times as long.
const MOST_PATTERNS: usize = 20;
const MOST_PARTS: usize = 3;
/// Fields that a list is sorted or grouped by, at most.
const MOST_FIELDS: usize = 8;
/// Values in one list at most.
const MOST_VALUES: usize = 1_000;

/// A parsed `q`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Request {
    pub(crate) query: Query,
    /// Exactly one fractal is expected.
    pub(crate) single: bool,
}

/// Reads `q`; without it everything is listed.
pub(crate) fn parse(q: Option<&str>) -> Result<Request> {
    let Some(q) = q else {
        return Ok(Request::default());
    };
    let value = serde_json::from_str(q).map_err(|error| {
        ApiError::undecodable(format!("q: is not JSON: {error}")).with("field", "q")
    })?;
    let Value::Object(object) = value else {
        return Err(bad("must be a JSON object"));
    };
    let mut terms = Terms::default();
    let parts = match object.get("filters") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(filters)) => filters
            .iter()
            .map(|part| filter(part, &mut terms))
            .collect::<Result<_>>()?,
        Some(_) => return Err(bad("filters must be a list")),
    };
    let filter = match (parts.is_empty(), switch(&object, "disjunction")?) {
        (true, _) => None,
        (false, true) => Some(Filter::Or(parts)),
        (false, false) => Some(Filter::And(parts)),
    };
    let query = Query {
        filter,
        order: fields(&object, "order_by", order, |(field, _)| *field)?,
        group: fields(
            &object,
            "group_by",
            |part| field_of(part, "field"),
            |field| *field,
        )?,
        limit: count(&object, "limit")?,
        offset: count(&object, "offset")?.unwrap_or(0),
    };
    let single = switch(&object, "single")?;
    Ok(Request { query, single })
}

fn bad(detail: impl std::fmt::Display) -> ApiError {
    let answer = ApiError::new(StatusCode::BAD_REQUEST, format!("q: {detail}"));
    answer
        .with("message", "Unable to construct query")
        .with("field", "q")
}

/// How much a query asks for.
#[derive(Debug, Default)]
struct Terms {
    conditions: usize,
    patterns: usize,
}

/// What a list says of fields, of each once: what is said again makes no difference.
fn fields<T>(
    object: &Map<String, Value>,
    name: &str,
    read: impl Fn(&Value) -> Result<T>,
    field: impl Fn(&T) -> Field,
) -> Result<Vec<T>> {
    let mut found: Vec<T> = Vec::new();
    for part in list(object, name)? {
        let next = read(part)?;
        if found.iter().all(|known| field(known) != field(&next)) {
            found.push(next);
        }
    }
    if found.len() > MOST_FIELDS {
        return Err(bad(format_args!("{name} has at most {MOST_FIELDS} fields")));
    }
    Ok(found)
}

fn list<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a [Value]> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) if list.len() <= 50 => Ok(list),
        Some(_) => Err(bad(format_args!("{name} must be a list of at most 50"))),
    }
}

fn switch(object: &Map<String, Value>, name: &str) -> Result<bool> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(on)) => Ok(*on),
        Some(_) => Err(bad(format_args!("{name} must be true or false"))),
    }
}

fn count(object: &Map<String, Value>, name: &str) -> Result<Option<u64>> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => whole_number(value)
            .and_then(|number| u64::try_from(number).ok())
            .map(Some)
            .ok_or_else(|| bad(format_args!("{name} must be a whole number"))),
    }
}

fn order(part: &Value) -> Result<(Field, Order)> {
    let direction = match part.get("direction") {
        None | Some(Value::Null) => Order::Ascending,
        Some(Value::String(name)) if name == "asc" => Order::Ascending,
        Some(Value::String(name)) if name == "desc" => Order::Descending,
        Some(other) => {
            return Err(bad(format_args!(
                "direction must be asc or desc, and is {other}"
            )));
        }
    };
    Ok((field_of(part, "field")?, direction))
}

fn field_of(part: &Value, key: &str) -> Result<Field> {
    let name = part
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| bad(format_args!("{key} is missing")))?;
    Field::named(name).ok_or_else(|| bad(format_args!("there is no field {name:?}")))
}

fn filter(part: &Value, terms: &mut Terms) -> Result<Filter> {
    terms.conditions += 1;
    if terms.conditions > MOST_TERMS {
        return Err(bad(format_args!("at most {MOST_TERMS} conditions")));
    }
    let all = |value: &Value, terms: &mut Terms| match value {
        Value::Array(parts) => parts
            .iter()
            .map(|part| filter(part, terms))
            .collect::<Result<Vec<_>>>(),
        _ => Err(bad("and, or take a list")),
    };
    if let Some(parts) = part.get("and") {
        return Ok(Filter::And(all(parts, terms)?));
    }
    if let Some(parts) = part.get("or") {
        return Ok(Filter::Or(all(parts, terms)?));
    }
    if let Some(inner) = part.get("not") {
        return Ok(Filter::Not(Box::new(filter(inner, terms)?)));
    }
    let field = field_of(part, "name")?;
    let op = part
        .get("op")
        .and_then(Value::as_str)
        .ok_or_else(|| bad("op is missing"))?;
    match op {
        "is_null" => return Ok(Filter::Null(field, true)),
        "is_not_null" => return Ok(Filter::Null(field, false)),
        "in" | "not_in" => return among(field, op == "in", part.get("val")),
        _ => {}
    }
    let compare = comparison(op)?;
    if matches!(compare, Compare::Like | Compare::NotLike | Compare::ILike)
        && field.holds() != Type::Text
    {
        return Err(bad(format_args!("{op} compares texts only")));
    }
    if op.ends_with("like") {
        terms.patterns += 1;
        if terms.patterns > MOST_PATTERNS {
            return Err(bad(format_args!("at most {MOST_PATTERNS} patterns")));
        }
        let pattern = part.get("val").and_then(Value::as_str).unwrap_or_default();
        let parts = pattern.split('%').filter(|part| !part.is_empty());
        if parts.count() > MOST_PARTS {
            return Err(bad(format_args!(
                "a pattern has at most {MOST_PARTS} parts with % between them"
            )));
        }
    }
    match (part.get("val"), part.get("field")) {
        (Some(Value::Null), _) if compare == Compare::Equal => Ok(Filter::Null(field, true)),
        (Some(Value::Null), _) if compare == Compare::NotEqual => Ok(Filter::Null(field, false)),
        (Some(value), _) => Ok(Filter::Value(field, compare, operand(field, value)?)),
        (None, Some(_)) => {
            let other = field_of(part, "field")?;
            let is_number = |field: Field| matches!(field.holds(), Type::Whole | Type::Real);
            if field.holds() != other.holds() && !(is_number(field) && is_number(other)) {
                return Err(bad("these two fields can't be compared"));
            }
            Ok(Filter::Fields(field, compare, other))
        }
        (None, None) => Err(bad(format_args!("{op} needs val or field"))),
    }
}

fn among(field: Field, among: bool, list: Option<&Value>) -> Result<Filter> {
    let Some(Value::Array(list)) = list else {
        return Err(bad("in, not_in need val: a list"));
    };
    if list.len() > MOST_VALUES {
        return Err(bad(format_args!("a list has at most {MOST_VALUES} values")));
    }
    Ok(Filter::Among(
        field,
        among,
        list.iter()
            .map(|value| operand(field, value))
            .collect::<Result<_>>()?,
    ))
}

fn comparison(op: &str) -> Result<Compare> {
    Ok(match op {
        "==" | "eq" | "equals" | "equal_to" => Compare::Equal,
        "!=" | "ne" | "neq" | "not_equal_to" | "does_not_equal" => Compare::NotEqual,
        ">" | "gt" => Compare::Greater,
        "<" | "lt" => Compare::Less,
        ">=" | "ge" | "gte" | "geq" => Compare::AtLeast,
        "<=" | "le" | "lte" | "leq" => Compare::AtMost,
        "like" => Compare::Like,
        "ilike" => Compare::ILike,
        "not_like" => Compare::NotLike,
        _ => return Err(bad(format_args!("there is no op {op:?}"))),
    })
}

/// A value as the field's own type, so that every database compares it alike.
fn operand(field: Field, value: &Value) -> Result<Operand> {
    let wrong = || bad(format_args!("{value} is no value for this field"));
    match field.holds() {
        Type::Text => match value {
            Value::String(text) => Ok(Operand::Text(text.clone())),
            Value::Number(number) => Ok(Operand::Text(number.to_string())),
            _ => Err(wrong()),
        },
        Type::Whole | Type::Real => {
            let number = match value {
                Value::Number(number) => number.clone(),
                Value::String(text) => serde_json::from_str(text).map_err(|_| wrong())?,
                _ => return Err(wrong()),
            };
            match (field.holds(), whole_number(&number.clone().into())) {
                (Type::Whole, Some(whole)) => Ok(Operand::Whole(whole)),
                _ => number.as_f64().map(Operand::Real).ok_or_else(wrong),
            }
        }
        Type::Time => serde_json::from_value::<Timestamp>(value.clone())
            .map(|time| Operand::Whole(time.0))
            .map_err(|_| wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;

    fn field(name: &str) -> Field {
        Field::named(name).unwrap()
    }

    fn filter_of(q: &str) -> Filter {
        parse(Some(q)).unwrap().query.filter.unwrap()
    }

    #[test]
    fn a_plain_condition_is_understood_in_every_spelling() {
        for op in ["==", "eq", "equals", "equal_to"] {
            let q = format!(r#"{{"filters": [{{"name": "width", "op": "{op}", "val": 44}}]}}"#);
            let expected = Filter::Value(field("width"), Compare::Equal, Operand::Whole(44));
            assert_eq!(filter_of(&q), Filter::And(vec![expected]));
        }
        let q = r#"{"filters": [{"name": "state", "op": "eq", "val": "done"}]}"#;
        let state = Filter::Value(field("state"), Compare::Equal, Operand::Text("done".into()));
        assert_eq!(filter_of(q), Filter::And(vec![state]));
    }

    #[test]
    fn a_field_named_again_makes_no_difference() {
        let named = vec![r#"{"field": "url"}"#; 50].join(", ");
        let q = format!(
            r#"{{"group_by": [{named}], "order_by": [{{"field": "width", "direction": "desc"}}, {named}]}}"#
        );
        let list_too_long = parse(Some(&q)).unwrap_err();
        assert_eq!(
            list_too_long.into_response().status(),
            StatusCode::BAD_REQUEST
        );
        let q = q.replacen(r#"{"field": "url"}, "#, "", 60);
        let query = parse(Some(&q)).unwrap().query;
        assert_eq!(query.group, [field("url")]);
        let order = [
            (field("width"), Order::Descending),
            (field("url"), Order::Ascending),
        ];
        assert_eq!(query.order, order);
    }

    #[test]
    fn what_would_keep_the_database_busy_for_long_is_refused_by_name() {
        let condition =
            |pattern: &str| format!(r#"{{"name": "url", "op": "like", "val": "{pattern}"}}"#);
        let query = |conditions: Vec<String>| {
            let q = format!(r#"{{"filters": [{}]}}"#, conditions.join(", "));
            parse(Some(&q))
        };
        query(vec![condition("%a%%b%c%"); MOST_PATTERNS]).unwrap();
        query(vec![condition("a"); MOST_PATTERNS + 1]).unwrap_err();
        query(vec![condition("%a%a%a%a%b1")]).unwrap_err();
        let names: Vec<_> = Field::names().take(MOST_FIELDS + 1).collect();
        for key in ["order_by", "group_by"] {
            let list = |names: &[&str]| {
                let fields = names.iter().map(|name| format!(r#"{{"field": "{name}"}}"#));
                format!(
                    r#"{{"{key}": [{}]}}"#,
                    fields.collect::<Vec<_>>().join(", ")
                )
            };
            parse(Some(&list(&names[..MOST_FIELDS]))).unwrap();
            parse(Some(&list(&names))).unwrap_err();
        }
    }

    #[test]
    fn null_is_asked_for_as_null() {
        let q = r#"{"filters": [{"name": "url", "op": "eq", "val": null}], "disjunction": true}"#;
        assert_eq!(
            filter_of(q),
            Filter::Or(vec![Filter::Null(field("url"), true)])
        );
    }

    #[test]
    fn nonsense_is_refused_and_never_panics() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let wide = format!(
            r#"{{"filters": [{}]}}"#,
            vec![r#"{"not": {"and": []}}"#; 300].join(",")
        );
        let long = format!(
            r#"{{"filters": [{{"name": "width", "op": "in", "val": [{}1]}}]}}"#,
            "1,".repeat(2000)
        );
        for q in [
            "",
            "{bad",
            "3",
            "null",
            "[]",
            &deep,
            &wide,
            &long,
            r#"{"filters": 3}"#,
            r#"{"filters": [3]}"#,
            r#"{"filters": [{"name": "nope", "op": "eq", "val": 1}]}"#,
            r#"{"filters": [{"name": "width", "op": "zzz", "val": 1}]}"#,
            r#"{"filters": [{"name": "width", "op": "eq"}]}"#,
            r#"{"filters": [{"name": "width", "op": "eq", "val": {}}]}"#,
            r#"{"filters": [{"name": "width", "op": "like", "val": "4%"}]}"#,
            r#"{"filters": [{"name": "width", "op": "gt", "field": "uuid"}]}"#,
            r#"{"filters": [{"name": "width", "op": "in", "val": 4}]}"#,
            r#"{"filters": [{"name": "created_at", "op": "gt", "val": "yesterday"}]}"#,
            r#"{"order_by": [{"field": "width", "direction": "up"}]}"#,
            r#"{"order_by": [{"field": "width", "direction": {}}]}"#,
            r#"{"order_by": 1}"#,
            r#"{"limit": -1}"#,
            r#"{"limit": "x"}"#,
            r#"{"limit": 1.5}"#,
            r#"{"single": {}}"#,
            r#"{"disjunction": "yes"}"#,
            r#"{"group_by": [{"field": 3}]}"#,
        ] {
            assert!(parse(Some(q)).is_err(), "{q}");
        }
    }
}
