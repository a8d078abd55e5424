use crate::server::{Server, answer, json};
use crate::{Faafo, ID, complaint, printed, row};

fn show(faafo: &Faafo, url: &str) -> std::process::Command {
    let mut command = faafo.command(&format!("show {ID} --endpoint-url {url}"));
    command.env("FAAFO_TOKEN", "faafo_s3cret");
    command
}

#[test]
fn the_token_goes_with_every_request_wherever_it_is_set() {
    let server = Server::start(|_, _| json("200 OK", &row(ID, "queued", None, None)));
    let faafo = Faafo::new();
    printed(show(&faafo, &server.url).output().unwrap());
    let in_url = server.url.replace("http://", "http://faafo_s3cret@");
    printed(faafo.run(&format!("show {ID} --endpoint-url {in_url}")));
    std::fs::write(faafo.folder.path().join("token"), "faafo_s3cret\n").unwrap();
    std::fs::write(
        faafo.folder.path().join("faafo.toml"),
        "token_file = 'token'",
    )
    .unwrap();
    printed(faafo.run(&format!("show {ID} --endpoint-url {}", server.url)));
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        assert_eq!(request.header("authorization"), Some("bearer faafo_s3cret"));
    }
}

#[test]
fn a_redirect_to_another_host_does_not_take_the_token_along() {
    let other = Server::start(|_, _| json("200 OK", &row(ID, "queued", None, None)));
    let place = format!("location: {}/x\r\n", other.url);
    let server = Server::start(move |_, _| answer("307 Temporary Redirect", &place, b""));
    printed(show(&Faafo::new(), &server.url).output().unwrap());
    assert!(server.requests()[0].header("authorization").is_some());
    assert_eq!(other.requests()[0].header("authorization"), None);
}

#[test]
fn whoever_asks_too_often_waits_and_asks_again() {
    let server = Server::start(|number, _| {
        if number < 2 {
            answer("429 Too Many Requests", "retry-after: 1\r\n", b"{}")
        } else {
            json("200 OK", &row(ID, "queued", None, None))
        }
    });
    let begun = std::time::Instant::now();
    printed(show(&Faafo::new(), &server.url).output().unwrap());
    assert!(begun.elapsed().as_secs() >= 2);
    assert_eq!(server.requests().len(), 3);
    let never =
        Server::start(|_, _| answer("429 Too Many Requests", "retry-after: 3600\r\n", b"{}"));
    assert!(complaint(&show(&Faafo::new(), &never.url).output().unwrap()).contains("429"));
}

#[test]
fn without_a_token_the_error_says_where_one_goes() {
    let body = r#"{"message": "no", "detail": "this needs a token"}"#;
    let server = Server::start(move |_, _| json("401 Unauthorized", body));
    for line in [
        "create --tasks 1",
        "list",
        &format!("delete {ID}"),
        "watch",
        "token list",
        "token create --scope read",
    ] {
        let output = Faafo::new().run(&format!("{line} --endpoint-url {}", server.url));
        let text = complaint(&output);
        assert!(
            text.contains("this needs a token") && text.contains("FAAFO_TOKEN"),
            "{text}"
        );
    }
}
