//! How much of anything there may be.

use super::{assert_refused, guarded_in, with_token};
use faafo_e2e::http::{Connection, Request};
use faafo_e2e::{Home, Service, printed, recipe, wait_until};
use std::io::Read;
use std::time::{Duration, Instant};

fn limited(settings: &str) -> Service {
    let home = Home::new();
    home.settings(settings);
    home.start(&["--slots", "0"])
}

#[test]
fn whoever_writes_too_often_is_told_to_wait_and_the_command_line_does() {
    let home = Home::new();
    home.settings("rate_limit = 2");
    let service = home.start(&["--slots", "0"]);
    let create = Request::new("POST", "/v1/fractal").json(&recipe::small());
    let answers: Vec<_> = (0..12).map(|_| service.send(&create)).collect();
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status != 201)
        .collect();
    assert!(!refused.is_empty());
    for answer in refused {
        assert_refused(answer, 429, "too many");
        assert!(
            answer
                .header("retry-after")
                .unwrap()
                .parse::<u32>()
                .unwrap()
                >= 1
        );
    }
    assert_eq!(service.get("/v1/status").status, 200, "looking is free");
    let before = service.count("accepted");
    let ids = printed(&service.cli(&["create", "--tasks", "6"]));
    assert_eq!(ids.lines().count(), 6);
    assert_eq!(service.count("accepted"), before + 6);
}

#[test]
fn each_token_has_a_rate_of_its_own() {
    let home = Home::new();
    home.settings("rate_limit = 1");
    let (service, admin) = guarded_in(&home, &["--slots", "0"]);
    let other = super::token_of(&service, &admin, "write");
    let create = Request::new("POST", "/v1/fractal").json(&recipe::small());
    let ask = |token: &str| service.send(&with_token(create.clone(), token)).status;
    wait_until("it is too much", || ask(&admin) == 429);
    assert_eq!(ask(&other), 201);
}

#[test]
fn large_headers_and_many_headers_are_refused() {
    let service = limited("");
    let large = Request::get("/").header("X-Large", &"x".repeat(40_000));
    assert_eq!(service.send(&large).status, 431);
    let many = (0..150).fold(Request::get("/"), |request, number| {
        request.header(&format!("X-{number}"), "1")
    });
    assert_eq!(service.send(&many).status, 431);
    let some = (0..50).fold(Request::get("/"), |request, number| {
        request.header(&format!("X-{number}"), "1")
    });
    assert_eq!(service.send(&some).status, 200);
}

#[test]
fn a_body_that_is_too_large_or_too_slow_is_cut_off_and_leaves_nothing() {
    let service = limited("max_upload = 1000\nbody_timeout = 1");
    let put = |length: usize| Request::new("PUT", "/v1/blobs").body(vec![7; length]);
    assert_eq!(service.send(&put(1000)).status, 201);
    assert_refused(&service.send(&put(1001)), 413, "announced");
    let chunked = format!(
        "PUT /v1/blobs HTTP/1.1\r\nHost: {0}\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{1}\r\n0\r\n\r\n",
        service.address(),
        "x".repeat(1001)
    );
    assert!(told(&service, &chunked).starts_with("HTTP/1.1 413 "));
    let slow = format!(
        "POST /v1/fractal HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 300\r\n\r\n{{",
        service.address()
    );
    let begun = Instant::now();
    let answer = told(&service, &slow);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    let large = Request::new("POST", "/v1/fractal").json(&vec![0; 40_000].into());
    assert_refused(&service.send(&large), 413, "JSON");
    assert_eq!(service.home().blobs().len(), 1);
    assert!(service.home().unfinished_files().is_empty());
    assert_eq!(service.count("accepted"), 0);
}

/// What is answered to these bytes until the connection ends.
fn told(service: &Service, bytes: &str) -> String {
    let mut stream = std::net::TcpStream::connect(service.address()).unwrap();
    std::io::Write::write_all(&mut stream, bytes.as_bytes()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned() + " "
}

#[test]
fn beyond_the_most_connections_newcomers_are_told_to_come_back() {
    let service = limited("max_connections = 3");
    let mut held: Vec<Connection> = (0..3).map(|_| service.connect()).collect();
    for connection in &mut held {
        assert_eq!(connection.send(&Request::get("/healthz")).status, 200);
    }
    let answer = service.get("/healthz");
    assert_refused(&answer, 503, "full");
    assert_eq!(answer.header("retry-after"), Some("1"));
    held.pop();
    wait_until("there is room again", || {
        service.get("/healthz").status == 200
    });
}

#[test]
fn beyond_the_most_requests_the_others_are_told_to_come_back() {
    let service = limited("max_requests = 1");
    let mut busy = service.connect();
    // More than is kept in memory until its end.
    let slow = Request::new("PUT", "/v1/blobs").body("the end is missing".repeat(10_000));
    let bytes = slow.bytes(service.address());
    busy.write(&bytes[..bytes.len() - 1]).unwrap();
    wait_until("it is busy", || {
        !service.home().unfinished_files().is_empty()
    });
    let answer = service.get("/v1/status");
    assert_refused(&answer, 503, "busy");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(service.get("/healthz").status, 200, "it lives");
    busy.write(&bytes[bytes.len() - 1..]).unwrap();
    wait_until("it is free", || service.get("/v1/status").status == 200);
}
