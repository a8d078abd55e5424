use crate::server::{Request, Server, json};
use crate::{Faafo, complaint, printed, row};

/// The name in a request's JSON.
fn name(request: &Request) -> String {
    request.body.split('"').nth(3).unwrap().to_owned()
}

fn accept(request: &Request) -> Vec<u8> {
    json("201 Created", &row(&name(request), "queued", None, None))
}

#[test]
fn every_fractal_created_is_one_line_with_its_name() {
    let server = Server::start(|_, request| accept(request));
    let text =
        printed(Faafo::new().run(&format!("create --tasks 3 --endpoint-url {}", server.url)));
    let sent: Vec<String> = server.requests().iter().map(name).collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), sent);
    let request = &server.requests()[0];
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/v1/fractal")
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
}

#[test]
fn verbose_tells_how_many_as_the_original_did() {
    let server = Server::start(|_, request| accept(request));
    let output = Faafo::new().run(&format!(
        "--debug create --tasks 2 --endpoint-url {}",
        server.url
    ));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(
        log.contains("INFO") && log.contains("generating 2 task(s)"),
        "{log}"
    );
    assert!(
        log.contains("DEBUG") && log.contains("created task {"),
        "{log}"
    );
}

#[test]
fn a_lost_answer_is_asked_for_again_under_the_same_name() {
    let server = Server::start(|number, _| match number {
        0 => Vec::new(),
        _ => json(
            "400 Bad Request",
            r#"{"message": "IntegrityError", "detail": "uuid: exists already"}"#,
        ),
    });
    let output = Faafo::new().run(&format!("create --tasks 1 --endpoint-url {}", server.url));
    assert!(output.status.success());
    let sent: Vec<String> = server.requests().iter().map(name).collect();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().trim_end(),
        sent[0]
    );
}

#[test]
fn a_name_that_exists_at_the_first_try_is_an_error() {
    let refuse =
        |_: usize, _: &Request| json("400 Bad Request", r#"{"message": "IntegrityError"}"#);
    let server = Server::start(refuse);
    let output = Faafo::new().run(&format!("create --tasks 1 --endpoint-url {}", server.url));
    assert!(complaint(&output).contains("IntegrityError"));
}

#[test]
fn contradicting_bounds_are_refused_before_anything_is_sent() {
    let output = Faafo::new().run("create --min-width 2000");
    assert!(complaint(&output).contains("--max-width"));
}

/// A service whose fractals end in these states, in the order in which they were asked for; it has no events.
fn finishing(states: &'static [&'static str]) -> Server {
    let names = std::sync::Mutex::new(Vec::new());
    Server::start(move |number, request| {
        let mut names = names.lock().unwrap();
        if request.method == "POST" {
            names.push(name(request));
            return accept(request);
        }
        let Some(id) = request.path.strip_prefix("/v1/fractal/") else {
            return json("404 Not Found", "{}");
        };
        let index = names.iter().position(|name| name == id).unwrap();
        // In between the service is away for a moment.
        match number {
            4 => json("503 Service Unavailable", "{}"),
            0..7 => json("200 OK", &row(id, "rendering", None, None)),
            _ => json("200 OK", &row(id, states[index], Some("ab"), Some(7))),
        }
    })
}

#[test]
fn waiting_ends_well_when_all_are_done() {
    let server = finishing(&["done", "done"]);
    let line = format!(
        "create --tasks 2 --wait --json --endpoint-url {}",
        server.url
    );
    let output = Faafo::new().run(&line);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{log}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches(r#""state":"done""#).count(), 2, "{text}");
    assert!(
        log.contains("trying again") && log.contains("is back"),
        "{log}"
    );
}

#[test]
fn waiting_fails_when_one_failed_and_says_why() {
    let server = finishing(&["done", "failed"]);
    let line = format!("create --tasks 2 --wait --endpoint-url {}", server.url);
    let output = Faafo::new().run(&line);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        output.stdout.iter().filter(|byte| **byte == b'\n').count(),
        2
    );
    let log = String::from_utf8(output.stderr).unwrap();
    let last = log.lines().last().unwrap();
    assert!(last.starts_with("faafo: 1 of 2 fractals"), "{log}");
    assert!(last.ends_with("failed: too hard"), "{log}");
}
