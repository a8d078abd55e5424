use crate::server::{Server, answer, json};
use crate::{Faafo, ID, complaint, printed, row};

/// Every command that talks to the service once.
fn commands() -> [String; 6] {
    [
        "create --tasks 2".to_owned(),
        "list".to_owned(),
        format!("show {ID}"),
        format!("get {ID}"),
        format!("delete {ID} {ID}"),
        "watch".to_owned(),
    ]
}

#[test]
fn every_command_tells_of_a_server_error_in_one_line() {
    let server = Server::start(|_, _| answer("500 Internal Server Error", "", b"<html>"));
    for command in commands() {
        let output = Faafo::new().run(&format!("--endpoint-url {} {command}", server.url));
        assert!(complaint(&output).contains("500 Internal Server Error"));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_server_s_own_words_are_passed_on() {
    let body = r#"{"message": "DataError", "detail": "width: must be\nless"}"#;
    let server = Server::start(move |_, _| json("400 Bad Request", body));
    for command in commands() {
        let output = Faafo::new().run(&format!("{command} --endpoint-url {}", server.url));
        assert!(complaint(&output).contains("width: must be less (HTTP 400)"));
    }
}

#[test]
fn where_nobody_listens_the_error_says_how_to_start_a_service() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for command in commands() {
        let text = complaint(&Faafo::new().run(&format!("{command} --endpoint-url {url}")));
        assert!(text.contains(&url) && text.contains("faafo up"), "{text}");
    }
}

#[test]
fn a_missing_fractal_is_named() {
    let server = Server::start(|_, _| json("404 Not Found", "{}"));
    for command in ["show", "get", "delete"] {
        let output = Faafo::new().run(&format!("{command} {ID} --endpoint-url {}", server.url));
        assert_eq!(
            complaint(&output),
            format!("faafo: fractal {ID} not found\n")
        );
    }
}

#[test]
fn an_answer_that_is_no_row_is_an_error() {
    let server = Server::start(|_, _| json("200 OK", "<html>"));
    let output = Faafo::new().run(&format!("show {ID} --endpoint-url {}", server.url));
    assert!(complaint(&output).contains("makes no sense"));
}

#[test]
fn a_redirect_to_https_asks_for_that_endpoint() {
    let server = Server::start(|_, _| {
        answer(
            "301 Moved Permanently",
            "location: https://localhost:1/x\r\n",
            b"",
        )
    });
    let output = Faafo::new().run(&format!("show {ID} --endpoint-url {}", server.url));
    assert!(complaint(&output).contains("https://localhost:1/x"));
}

#[test]
fn an_endpoint_may_have_a_path_and_a_trailing_slash() {
    let server = Server::start(|_, _| json("200 OK", &row(ID, "queued", None, None)));
    let output = Faafo::new().run(&format!(
        "show {ID} --json --endpoint-url {}/a/b/",
        server.url
    ));
    assert_eq!(printed(output).trim_end(), row(ID, "queued", None, None));
    assert_eq!(server.requests()[0].path, format!("/a/b/v1/fractal/{ID}"));
}

#[test]
fn a_proxy_in_the_environment_is_not_asked_for_what_runs_here() {
    let server = Server::start(|_, _| json("200 OK", &row(ID, "queued", None, None)));
    let faafo = Faafo::new();
    let mut command = faafo.command(&format!("show {ID} --endpoint-url {}", server.url));
    let proxy = "http://127.0.0.1:9";
    let output = command
        .env("http_proxy", proxy)
        .env("ALL_PROXY", proxy)
        .output();
    assert!(printed(output.unwrap()).contains("| queued "));
}

#[test]
fn a_usage_error_ends_with_2() {
    for line in ["show hello", "list --nonsense", "create --xa nan", "delete"] {
        assert_eq!(Faafo::new().run(line).status.code(), Some(2), "{line}");
    }
}
