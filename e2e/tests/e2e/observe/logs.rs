use super::lines;
use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::http::Request;
use faafo_e2e::{Home, Service, complaint, recipe, wait_until};
use serde_json::Value;
use std::fs::read_to_string;

#[test]
fn every_line_about_a_fractal_has_its_uuid_in_every_role() {
    let cluster = Cluster::new(Engine::Postgres);
    let flags = ["--log-format", "json", "--log-level", "info,faafo=debug"];
    let api = cluster.api(&[&flags[..], &["--no-tracker"]].concat());
    let _tracker = cluster.tracker_with(&flags);
    let _worker = cluster.worker(&[&api], &flags);
    let request = Request::new("POST", "/v1/fractal").json(&recipe::small());
    let answer = api.send(&request.header("X-Request-Id", "my-own-7"));
    assert_eq!(answer.header("x-request-id"), Some("my-own-7"));
    let id = answer.json()["uuid"].as_str().unwrap().to_owned();
    api.wait_until_state(&id, "done");
    api.delete(&id);
    let said = |log: &str, target: &str, message: &str| {
        let whole = &log[..log.rfind('\n').map_or(0, |end| end + 1)];
        let about = lines(whole)
            .into_iter()
            .filter(|line| line.to_string().contains(&id));
        let about: Vec<Value> = about.collect();
        assert!(about.iter().all(|line| line["uuid"] == *id), "{about:#?}");
        let target = format!("faafo_{target}");
        about.into_iter().find(|line| {
            line["message"] == message && line["target"].as_str().unwrap().starts_with(&target)
        })
    };
    for (target, message) in [
        ("worker", "task taken"),
        ("worker", "task ended"),
        ("settlement", "fractal done"),
    ] {
        wait_until(message, || {
            said(
                &read_to_string(cluster.home().log()).unwrap(),
                target,
                message,
            )
            .is_some()
        });
    }
    let accepted = said(&api.log(), "server", "accepted").unwrap();
    assert_eq!(accepted["request_id"], "my-own-7");
    assert_eq!(accepted["level"], "DEBUG");
    let answered = said(&api.log(), "server", "answered").unwrap();
    assert_eq!(answered["method"], "POST");
    assert_eq!(answered["status"], 201);
    assert!(answered["seconds"].as_f64().is_some());
    assert!(said(&api.log(), "server", "deleted").is_some());
}

#[test]
fn every_answer_has_a_request_id_that_can_do_no_harm() {
    let service = Service::start(&["--slots", "0"]);
    let id = |request: &Request| {
        let answer = service.send(request);
        answer.header("x-request-id").unwrap().to_owned()
    };
    let (first, second) = (id(&Request::get("/healthz")), id(&Request::get("/nowhere")));
    assert!(first != second && first.len() == 32);
    for bad in ["a b", "\"", &"x".repeat(200)] {
        let made = id(&Request::get("/").header("X-Request-Id", bad));
        assert_eq!(made.len(), 32, "{made}");
    }
}

#[test]
fn levels_and_formats_that_do_not_exist_are_named() {
    for (flags, expected) in [
        (["--log-level", "loud"], "log_level must be error, warn"),
        (
            ["--log-format", "xml"],
            "log_format must be one of plain, json",
        ),
        (["--metrics-listen", "here"], "--metrics-listen"),
        (["--otlp-endpoint", "ftp://x"], "otlp_endpoint"),
    ] {
        let output = Home::new().run(&[
            "up",
            "--data",
            "d",
            "--listen",
            "127.0.0.1:0",
            flags[0],
            flags[1],
        ]);
        if output.status.code() == Some(2) {
            assert!(String::from_utf8_lossy(&output.stderr).contains(expected));
        } else {
            let said = complaint(&output);
            assert!(said.contains(expected), "{said}");
        }
    }
}
