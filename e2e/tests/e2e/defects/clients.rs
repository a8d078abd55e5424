//! Clients that ask too early, and clients that misbehave.

use faafo_e2e::http::Request;
use faafo_e2e::{Home, Service, complaint, printed, recipe};
use std::io::Read;
use std::time::{Duration, Instant};

/// Defect 15: while a fractal was pending its page was a 500 and `show` crashed.
#[test]
fn a_pending_fractal_can_be_looked_at() {
    let service = Service::start(&["--slots", "0"]);
    let id = service.create(&recipe::small());
    let picture = service.get(&format!("/fractal/{id}"));
    assert_eq!(
        (picture.status, &picture.json()["state"]),
        (202, &"queued".into())
    );
    for path in ["/".to_owned(), format!("/picture/{id}")] {
        let page = service.get(&path);
        assert_eq!(
            page.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(page.status == 200 && page.text().contains(&id), "{path}");
    }
    let shown = printed(&service.cli(&["show", &id]));
    assert!(
        shown
            .lines()
            .any(|line| line.starts_with("| state ") && line.contains("| queued ")),
        "{shown}"
    );
    let line = complaint(&service.cli(&["get", &id]));
    assert!(
        line.contains("queued") && line.contains("no picture yet"),
        "{line}"
    );
}

/// Defect 16: the command line ignored errors.
#[test]
fn every_failure_of_the_command_line_is_a_clear_line_and_an_exit_code() {
    let service = Service::start(&["--slots", "0"]);
    let unknown = "00000000-0000-4000-8000-000000000098";
    for command in ["show", "get", "delete", "watch"] {
        let line = complaint(&service.cli(&[command, unknown]));
        assert!(line.contains(unknown), "{command}: {line}");
    }
    let url = service.url();
    drop(service);
    for command in ["create", "list", "watch"] {
        let line = complaint(&Home::new().run(&["--endpoint-url", &url, command]));
        assert!(line.contains(&url), "{command}: {line}");
    }
}

/// Defect 34: one aborted client killed the API, and one idle connection blocked it.
#[test]
fn aborted_idle_and_slow_clients_harm_nobody() {
    let service = Service::start(&[]);
    let id = service.create_done(&recipe::medium(0));
    let create = Request::new("POST", "/v1/fractal").json(&recipe::small());
    let create = create.bytes(service.address());
    let download = Request::get(&format!("/fractal/{id}"));

    for end in 0..create.len() {
        // Broken off after every single byte.
        service.connect().write(&create[..end]).unwrap();
    }
    for _ in 0..20 {
        let (_, mut body) = service.connect().begin(&download);
        body.read_exact(&mut [0; 10]).unwrap();
    }
    for rubbish in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "\0\u{16}\u{3}\u{1}",
        "GET / HTTP/9.9\r\n\r\n",
    ] {
        // The service may hang up at once.
        let _ = service.connect().write(rubbish.as_bytes());
    }
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(service.connect());
        for part in [&create[..40], &create[..create.len() - 1]] {
            let mut connection = service.connect();
            connection.write(part).unwrap();
            held.push(connection);
        }
    }

    for connection in &mut held {
        // One byte more: as slow as can be, and still alive.
        let _ = connection.write(b" ");
        let begun = Instant::now();
        assert_eq!(service.get("/healthz").status, 200);
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
    let accepted = service.count("accepted");
    service.create_done(&recipe::small());
    drop(held);
    assert_eq!(service.get("/").status, 200);
    assert_eq!(service.count("accepted"), accepted + 1);
}
