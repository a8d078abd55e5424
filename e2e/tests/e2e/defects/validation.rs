//! Defects 19 and 35: what no worker could render was accepted, and killed worker after worker.

use faafo_e2e::http::Request;
use faafo_e2e::{Service, complaint, recipe};
use serde_json::{Value, json};

/// Bad values of fields, as they stand in JSON or in what Python takes for it.
const BAD: [(&str, &[&str]); 14] = [
    (
        "width",
        &[
            "0",
            "-5",
            "100001",
            "1e30",
            "1180591620717411303424",
            "\"64\"",
            "\"abc\"",
            "true",
            "null",
            "[]",
            "NaN",
        ],
    ),
    ("height", &["0", "-1", "100001", "0.2", "{}", "Infinity"]),
    (
        "iterations",
        &["0", "-1", "10000001", "\"20\"", "false", "null"],
    ),
    (
        "xa",
        &[
            "1.5",
            "\"abc\"",
            "\"1.5\"",
            "null",
            "NaN",
            "-Infinity",
            "1e101",
            "true",
            "1e999",
        ],
    ),
    ("xb", &["\"\"", "[1]", "Infinity", "-1e101"]),
    ("ya", &["1.0", "{}", "NaN"]),
    ("yb", &["\"abc\"", "null", "Infinity"]),
    ("cx", &["\"i\"", "true", "1e101"]),
    ("kind", &["\"no-such\"", "3", "\"\""]),
    ("palette", &["\"neon\"", "[]"]),
    (
        "uuid",
        &[
            "\"hello world\"",
            "\"\"",
            "7",
            "\"a/b\"",
            "\"00000000000040008000000000000001\"",
            "true",
        ],
    ),
    ("checksum", &["\"abc\"", "null"]),
    ("state", &["\"done\""]),
    ("colour", &["1"]),
];

#[test]
fn every_bad_value_is_refused_by_name_and_nothing_is_stored() {
    let service = Service::start(&[]);
    let mut connection = service.connect();
    for (field, values) in BAD {
        for value in values {
            let mut fields = recipe::with(recipe::small(), json!({"cx": -0.8, "cy": 0.156}));
            fields.as_object_mut().unwrap().remove(field);
            let others = fields.to_string();
            let body = format!("{{\"{field}\": {value}, {}", &others[1..]);
            let request = Request::new("POST", "/v1/fractal")
                .header("Content-Type", "application/json")
                .body(body);
            let answer = connection.send(&request);
            assert_eq!(answer.status, 400, "{field} = {value}: {}", answer.text());
            let json = answer.json();
            assert_eq!(json["field"], field, "{field} = {value}: {json}");
            assert!(json["detail"].as_str().unwrap().contains(field), "{json}");
        }
    }
    assert_eq!(service.count("accepted"), 0);
    assert_eq!(service.json("/v1/fractal")["num_results"], 0);
    // And the worker is as well as ever.
    service.create_done(&recipe::small());
}

#[test]
fn a_missing_field_is_named() {
    let service = Service::start(&["--slots", "0"]);
    for field in ["width", "height", "iterations", "xa", "xb", "ya", "yb"] {
        let mut recipe = recipe::small();
        recipe.as_object_mut().unwrap().remove(field);
        let answer = service.post(&recipe);
        assert_eq!(
            (answer.status, &answer.json()["field"]),
            (400, &Value::from(field))
        );
    }
    assert_eq!(service.count("accepted"), 0);
}

#[test]
fn the_allowed_range_is_told() {
    let service = Service::start(&["--slots", "0", "--max-area", "1000000"]);
    for (changes, range) in [
        (json!({"width": 0}), "1 to 100000"),
        (json!({"iterations": 0}), "1 to 10000000"),
        (
            json!({"width": 1001, "height": 1000}),
            "at most 1000000 pixels",
        ),
    ] {
        let answer = service.post(&recipe::with(recipe::small(), changes));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(answer.status == 400 && detail.contains(range), "{detail}");
    }
    service.create(&recipe::with(
        recipe::small(),
        json!({"width": 1000, "height": 1000}),
    ));
}

#[test]
fn the_command_line_passes_the_refusal_on() {
    let service = Service::start(&["--slots", "0"]);
    let huge = [
        "create", "--width", "100000", "--height", "100000", "--tasks", "1",
    ];
    let line = complaint(&service.cli(&huge));
    assert!(
        line.contains("width") && line.contains("400000000"),
        "{line}"
    );
    assert_eq!(service.count("accepted"), 0);
}
