//! Spans as OTLP/HTTP carries them, in its JSON encoding (opentelemetry-proto, `docs/specification.md`): ids in
//! hexadecimal, 64-bit numbers as text, enumerations as numbers.

use super::{Kind, Service, Span, Value};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// The body of a request to `/v1/traces`. `instance` tells processes of one service apart.
pub fn request(spans: &[Span], instance: &str) -> Json {
    let mut services: BTreeMap<Service, Vec<Json>> = BTreeMap::new();
    for span in spans {
        services.entry(span.service).or_default().push(encode(span));
    }
    let version = env!("CARGO_PKG_VERSION");
    let resources: Vec<Json> = services
        .into_iter()
        .map(|(service, spans)| {
            let resource = [
                attribute("service.name", &service.name().into()),
                attribute("service.instance.id", &instance.into()),
                attribute("service.version", &version.into()),
            ];
            json!({
                "resource": {"attributes": resource},
                "scopeSpans": [{"scope": {"name": "faafo", "version": version}, "spans": spans}],
            })
        })
        .collect();
    json!({"resourceSpans": resources})
}

fn encode(span: &Span) -> Json {
    let mut json = json!({
        "traceId": span.trace.simple().to_string(),
        "spanId": format!("{:016x}", span.id),
        "name": span.name,
        "kind": match span.kind {
            Kind::Internal => 1,
            Kind::Server => 2,
            Kind::Producer => 4,
            Kind::Consumer => 5,
        },
        "startTimeUnixNano": nanoseconds(span.begin),
        "endTimeUnixNano": nanoseconds(span.end),
        "attributes": span.attributes.iter().map(|(name, value)| attribute(name, value)).collect::<Vec<_>>(),
        "status": match &span.error {
            None => json!({}),
            Some(reason) => json!({"code": 2, "message": reason}),
        },
    });
    if let Some(parent) = span.parent {
        json["parentSpanId"] = format!("{parent:016x}").into();
    }
    if let Some(link) = span.link {
        let (trace, span) = (
            format!("{:032x}", link.trace),
            format!("{:016x}", link.span),
        );
        json["links"] = json!([{"traceId": trace, "spanId": span}]);
    }
    json
}

fn attribute(name: &str, value: &Value) -> Json {
    let value = match value {
        Value::Text(text) => json!({"stringValue": text}),
        Value::Whole(number) => json!({"intValue": number.to_string()}),
        Value::Real(number) => json!({"doubleValue": number}),
    };
    json!({"key": name, "value": value})
}

fn nanoseconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}

#[cfg(test)]
mod tests {
    use super::super::{Link, accept_id, begun};
    use super::*;
    use std::time::Duration;
    use uuid::Uuid;

    #[test]
    fn a_span_is_encoded_as_the_specification_says() {
        let trace: Uuid = "9d1c8f0e-5a75-4c1c-9e3a-0d6d2b7c1f42".parse().unwrap();
        let at = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let span = Span::new(trace, "accept", Service::Api, Kind::Server, begun())
            .between(at, at + Duration::from_nanos(5))
            .id(accept_id(trace))
            .below(None)
            .with("faafo.width", 640_u32)
            .failed(Some("no"))
            .link(Some(Link { trace: 1, span: 2 }));
        let body = request(&[span], "host:1");
        let service = &body["resourceSpans"][0];
        assert_eq!(
            service["resource"]["attributes"][0],
            json!({"key": "service.name", "value": {"stringValue": "faafo-api"}})
        );
        let span = &service["scopeSpans"][0]["spans"][0];
        assert_eq!(span["traceId"], "9d1c8f0e5a754c1c9e3a0d6d2b7c1f42");
        assert_eq!(span["spanId"].as_str().unwrap().len(), 16);
        assert_eq!(span["startTimeUnixNano"], "1700000000000000000");
        assert_eq!(span["endTimeUnixNano"], "1700000000000000005");
        assert_eq!(
            span["attributes"],
            json!([{"key": "faafo.width", "value": {"intValue": "640"}}])
        );
        assert_eq!(span["status"], json!({"code": 2, "message": "no"}));
        assert_eq!(
            span["links"],
            json!([{"traceId": format!("{:032x}", 1), "spanId": format!("{:016x}", 2)}])
        );
        assert!(span.get("parentSpanId").is_none());
    }
}
