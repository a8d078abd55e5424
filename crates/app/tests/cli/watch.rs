use crate::server::{Server, answer, json};
use crate::{Faafo, ID, complaint, row};

fn stream(changes: &[&str]) -> Vec<u8> {
    let events: String = changes
        .iter()
        .map(|change| {
            format!("event: fractal\ndata: {{\"uuid\":\"{ID}\",\"change\":\"{change}\",\"progress\":0.25}}\n\n")
        })
        .collect();
    answer(
        "200 OK",
        "content-type: text/event-stream\r\n",
        events.as_bytes(),
    )
}

#[test]
fn named_fractals_are_watched_until_nothing_more_happens_to_them() {
    let server = Server::start(|number, request| match request.path.as_str() {
        "/v1/events" => stream(&["rendering", "done"]),
        _ if number < 2 => json("200 OK", &row(ID, "queued", None, None)),
        _ => json("200 OK", &row(ID, "done", Some("ab"), Some(7))),
    });
    let output = Faafo::new().run(&format!("watch {ID} --endpoint-url {}", server.url));
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().last(), Some(format!("{ID} done").as_str()));
}

#[test]
fn a_fractal_that_is_deleted_meanwhile_is_a_failure() {
    let server = Server::start(|_, _| json("404 Not Found", "{}"));
    let output = Faafo::new().run(&format!("watch {ID} --json --endpoint-url {}", server.url));
    assert!(complaint(&output).contains(&format!("fractal {ID} deleted")));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains(r#""change":"deleted""#)
    );
}

#[test]
fn the_stream_is_taken_up_again_when_it_ends() {
    let server = Server::start(|number, _| match number {
        0 => stream(&["queued"]),
        1 => Vec::new(),
        2 => stream(&["rendering"]),
        _ => json("410 Gone", r#"{"detail": "no more events"}"#),
    });
    let output = Faafo::new().run(&format!("watch --endpoint-url {}", server.url));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, format!("{ID} queued\n{ID} rendering 25 %\n"));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(
        log.lines().last().unwrap().contains("no more events"),
        "{log}"
    );
}
