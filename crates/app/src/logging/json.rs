//! Log lines as JSON, one object a line: `timestamp`, `level`, `target`, `message`, then the fields of the line and of
//! all that it happens in, side by side. So `uuid` is always found under `uuid`.

use serde_json::{Map, Value};
use std::fmt;
use std::io::Write;
use std::time::SystemTime;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Writes them to stderr.
pub struct JsonLines;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for JsonLines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.0.extend(outer.0.clone());
            }
        }
        event.record(&mut fields);
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let line = line(SystemTime::now(), level.as_str(), target, fields.0);
        // Where stderr is closed there is nobody to tell.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

fn line(time: SystemTime, level: &str, target: &str, mut fields: Map<String, Value>) -> String {
    let message = fields.remove("message").unwrap_or_else(|| "".into());
    let first = [
        (
            "timestamp",
            humantime::format_rfc3339_micros(time).to_string().into(),
        ),
        ("level", level.into()),
        ("target", target.into()),
        ("message", message),
    ];
    let mut line = String::from("{");
    for (name, value) in &first {
        line += &format!("\"{name}\":{value},");
    }
    for (name, value) in &fields {
        // The first four are what they are.
        if !first.iter().any(|(known, _)| known == name) {
            line += &format!("{}:{value},", Value::from(name.as_str()));
        }
    }
    line.pop();
    line + "}\n"
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::UNIX_EPOCH;

    #[test]
    fn a_line_is_one_object_whatever_is_said() {
        let fields =
            json!({"message": "can't\n\"say\"", "uuid": "9d1c", "level": "of its own", "bytes": 7});
        let Value::Object(fields) = fields else {
            panic!()
        };
        let line = line(UNIX_EPOCH, "INFO", "faafo_worker", fields);
        assert_eq!(
            line,
            "{\"timestamp\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"INFO\",\"target\":\"faafo_worker\",\
             \"message\":\"can't\\n\\\"say\\\"\",\"bytes\":7,\"uuid\":\"9d1c\"}\n"
        );
        serde_json::from_str::<Value>(&line).unwrap();
    }
}
