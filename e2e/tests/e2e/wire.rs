//! Requests and answers recorded from the original service, replayed in order against ours.

mod deviations;
mod oracle;
mod recording;
mod replay;

use deviations::{IGNORED_CALLBACK, IMPROVED, REFUSED};
use faafo_e2e::http::Request;
use faafo_e2e::{Home, Service};
use recording::{Case, cases};
use serde_json::Value;

#[test]
fn every_recorded_request_is_answered_as_the_original_did_or_better() {
    // Without slots nothing is rendered: the replay plays the workers, as the recording did.
    let service = Service::start(&["--slots", "0"]);
    let failures = replay::replay(&service);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_oracle_of_lists_reproduces_every_recorded_list() {
    let cases = cases();
    let lists: Vec<&Case> = cases.iter().filter(|case| case.is_list()).collect();
    assert!(lists.len() > 20);
    for case in lists {
        let rows = recording::rows_before(&cases, case);
        let (body, link) = oracle::list(&rows, case.path());
        assert_eq!(Some(&body), case.json(), "{}", case.name);
        assert_eq!(
            Some(link.as_str()),
            case.answer_header("Link"),
            "{}",
            case.name
        );
    }
}

#[test]
fn every_deviation_is_about_a_recorded_case() {
    let cases = cases();
    let known = |name: &str| cases.iter().any(|case| case.name == name);
    let refused = REFUSED.iter().map(|(name, ..)| *name);
    let improved = IMPROVED.iter().map(|(name, ..)| *name);
    for name in refused.chain(improved).chain(IGNORED_CALLBACK) {
        assert!(known(name), "{name}");
    }
    let broken: Vec<&str> = cases
        .iter()
        .filter(|case| case.status >= 500)
        .map(|case| case.name.as_str())
        .collect();
    let improved: Vec<&str> = IMPROVED.iter().map(|(name, ..)| *name).collect();
    assert_eq!(broken, improved);
}

#[test]
fn addresses_in_answers_begin_with_the_host_that_was_asked() {
    let home = Home::new();
    home.settings("allowed_hosts = 'fractals.example'");
    let service = home.start(&["--slots", "0"]);
    let create = Request::new("POST", "/v1/fractal")
        .header("Host", "fractals.example:8080")
        .json(&faafo_e2e::recipe::small());
    let answer = service.send(&create);
    let id = answer.json()["uuid"].as_str().unwrap().to_owned();
    let expected = format!("http://fractals.example:8080/v1/fractal/{id}");
    assert_eq!(answer.header("location"), Some(expected.as_str()));
    let list = service.send(&Request::get("/v1/fractal").header("Host", "fractals.example:8080"));
    let link = list.header("link").unwrap();
    assert!(
        link.starts_with("<http://fractals.example:8080/v1/fractal?page=1"),
        "{link}"
    );
}

/// Whether `actual` holds at least what was recorded: ours may have more keys.
fn includes(actual: &Value, recorded: &Value) -> bool {
    match (actual, recorded) {
        (Value::Object(actual), Value::Object(recorded)) => {
            let held = |(key, value): (&String, _)| {
                actual.get(key).is_some_and(|found| includes(found, value))
            };
            recorded.iter().all(held)
        }
        (Value::Array(actual), Value::Array(recorded)) => {
            actual.len() == recorded.len()
                && actual
                    .iter()
                    .zip(recorded)
                    .all(|(actual, recorded)| includes(actual, recorded))
        }
        _ => actual == recorded,
    }
}
