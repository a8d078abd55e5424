use crate::server::{Server, answer, json};
use crate::{Faafo, complaint, printed, row};
use std::io::Read;
use std::process::Stdio;

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn document(rows: usize) -> String {
    let rows: Vec<String> = (0..rows)
        .map(|number| row(&id(number), "done", Some("ab"), Some(7)))
        .collect();
    format!(
        r#"{{"num_results":{},"objects":[{}],"page":1,"total_pages":1}}"#,
        rows.len(),
        rows.join(", ")
    )
}

#[test]
fn twelve_thousand_rows_are_twelve_thousand_lines() {
    let server = Server::start(|_, _| json("200 OK", &document(12_000)));
    let text = printed(Faafo::new().run(&format!("list --endpoint-url {}", server.url)));
    assert_eq!(text.lines().count(), 12_000);
    for (number, line) in text.lines().enumerate() {
        assert_eq!(
            line,
            format!("| {} | 41 x 30 pixels | 7 bytes |", id(number))
        );
    }
    assert_eq!(server.requests()[0].path, "/v1/fractal?results_per_page=-1");
}

#[test]
fn a_state_is_asked_for_in_the_filter_language() {
    let server = Server::start(|_, _| json("200 OK", &document(0)));
    let line = format!("list --state done --json --endpoint-url {}", server.url);
    assert_eq!(printed(Faafo::new().run(&line)), "");
    let path = &server.requests()[0].path;
    let q = "q=%7B%22filters%22%3A%5B%7B%22name%22%3A%22state%22%2C%22op%22%3A%22eq%22%2C%22val%22%3A%22done%22%7D%5D%7D";
    assert!(path.ends_with(q), "{path}");
}

#[test]
fn json_rows_are_one_line_each() {
    let server = Server::start(|_, _| json("200 OK", &document(2)));
    let text = printed(Faafo::new().run(&format!("list --json --endpoint-url {}", server.url)));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], row(&id(1), "done", Some("ab"), Some(7)));
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_body_that_breaks_off_is_an_error_after_its_rows() {
    let whole = document(5);
    let server = Server::start(move |_, _| {
        let mut bytes = json("200 OK", &whole);
        bytes.truncate(bytes.len() - 600);
        bytes
    });
    let output = Faafo::new().run(&format!("list --endpoint-url {}", server.url));
    assert!(complaint(&output).contains("cut short after "));
    let rows = String::from_utf8(output.stdout).unwrap().lines().count();
    assert!((1..5).contains(&rows), "{rows}");
}

#[test]
fn a_document_that_ends_early_in_a_whole_answer_is_an_error_too() {
    for cut in [1, 10, 40, 700] {
        let server = Server::start(move |_, _| {
            let whole = document(5);
            json("200 OK", &whole[..whole.len() - cut])
        });
        let output = Faafo::new().run(&format!("list --endpoint-url {}", server.url));
        assert!(complaint(&output).contains("cut short after "));
    }
}

#[test]
fn a_service_that_pages_is_not_taken_for_the_whole() {
    let server = Server::start(|_, _| {
        json(
            "200 OK",
            r#"{"num_results":28,"objects":[],"page":1,"total_pages":3}"#,
        )
    });
    let output = Faafo::new().run(&format!("list --endpoint-url {}", server.url));
    assert!(complaint(&output).contains("can't list everything"));
}

#[test]
fn rows_deleted_while_the_list_ran_are_no_error() {
    let server = Server::start(|_, _| {
        json(
            "200 OK",
            r#"{"num_results":2,"objects":[],"page":1,"total_pages":1}"#,
        )
    });
    printed(Faafo::new().run(&format!("list --endpoint-url {}", server.url)));
}

#[test]
fn a_reader_who_has_enough_ends_it_quietly() {
    let server = Server::start(|_, _| answer("200 OK", "", document(20_000).as_bytes()));
    let faafo = Faafo::new();
    let mut child = faafo
        .command(&format!("list --endpoint-url {}", server.url))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    assert_eq!(printed(child.wait_with_output().unwrap()), "");
}
