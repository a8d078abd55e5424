//! Who may do what: tokens, sessions, foreign pages, secrets and limits.

mod limits;
mod pages;
mod secrets;
mod session;
mod tls;
mod tokens;

use faafo_e2e::http::{Answer, Request};
use faafo_e2e::{Home, Service};

/// A service that everybody on the network reaches, in a new home; with the token that it has printed.
#[track_caller]
fn guarded(flags: &[&str]) -> (Service, String) {
    guarded_in(&Home::new(), flags)
}

#[track_caller]
fn guarded_in(home: &Home, flags: &[&str]) -> (Service, String) {
    let mut service = home.start(&[flags, &["--listen", "0.0.0.0:0"]].concat());
    let token = service.first_token();
    (service, token)
}

/// The request with a token.
fn with_token(request: Request, token: &str) -> Request {
    request.header("Authorization", &format!("Bearer {token}"))
}

/// Makes a token of that scope.
#[track_caller]
fn token_of(service: &Service, admin: &str, scope: &str) -> String {
    let body = serde_json::json!({"scope": scope, "label": format!("for {scope}")});
    let create = Request::new("POST", "/v1/tokens").json(&body);
    let answer = service.send(&with_token(create, admin));
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["token"].as_str().unwrap().to_owned()
}

/// Runs the command line against a service with a token in the environment.
#[track_caller]
fn cli_with(service: &Service, token: &str, arguments: &[&str]) -> std::process::Output {
    let url = service.url();
    let all = [&["--endpoint-url", &url], arguments].concat();
    let mut command = service.home().command(&all);
    command.env("FAAFO_TOKEN", token).output().unwrap()
}

/// An answer that says what is missing, as the one shape of errors.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    let body = answer.json();
    assert!(body["detail"].is_string(), "{what}: {body}");
    if status == 401 {
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer"), "{what}: {challenge}");
    }
}
