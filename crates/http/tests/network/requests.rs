//! What a request outlives, and what it doesn't.

use crate::server::{Server, answer};
use bytes::Bytes;
use faafo_http::{Call, ErrorKind, Http, refusal};
use reqwest::{Method, StatusCode};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn http(patience: Duration, server: &Server) -> Http {
    Http::new(patience, &[&server.url]).unwrap()
}

/// Fails so many times, then answers with what it got.
async fn failing(times: u32) -> Server {
    let left = AtomicU32::new(times);
    let count_down = move || left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
    Server::start(move |_, body| match count_down() {
        Ok(_) => answer("503 Busy", "", ""),
        Err(_) => answer("200 OK", "", body),
    })
    .await
}

#[tokio::test]
async fn a_request_is_sent_again_until_the_server_does_not_fail() {
    let server = failing(2).await;
    let http = http(30 * SECOND, &server);
    let call = Call::new(Method::POST, server.url.clone()).body(Bytes::from("hello"));
    let response = http.send(|| call.clone()).await.unwrap();
    assert_eq!(http.text(response).await.unwrap(), "hello");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_server_that_keeps_failing_is_named() {
    let server = failing(u32::MAX).await;
    let http = http(30 * SECOND, &server);
    let error = http
        .send(|| Call::new(Method::GET, server.url.clone()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let text = error.to_string();
    assert!(text.contains("503") && text.contains("127.0.0.1"), "{text}");
}

#[tokio::test]
async fn a_request_that_must_not_be_carried_out_twice_is_sent_once() {
    let server = failing(1).await;
    let call = Call::new(Method::POST, server.url.clone()).once();
    let error = http(30 * SECOND, &server)
        .send(|| call.clone())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_fails() {
    let (bad, good) = (failing(u32::MAX).await, failing(0).await);
    let urls = [&bad.url, &good.url];
    let http = Http::new(30 * SECOND, &urls).unwrap();
    let make = |number: usize| Call::new(Method::GET, urls[number].clone());
    let (number, _) = http.send_to_any(2, make).await.unwrap();
    assert_eq!(number, 1);
}

#[tokio::test]
async fn a_silent_server_is_left_and_the_signed_url_not_shown() {
    let server = Server::start(|_, _| None).await;
    let url = server.url.join("?X-Amz-Signature=s3cret").unwrap();
    let call = Call::new(Method::GET, url);
    let error = http(SECOND, &server)
        .send(|| call.clone())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("no progress for 1 s"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_error_with_a_source_and_without_the_url() {
    let url = reqwest::Url::parse("http://127.0.0.1:1/?X-Amz-Signature=s3cret").unwrap();
    let http = Http::new(SECOND, &[&url]).unwrap();
    let error = http
        .send(|| Call::new(Method::GET, url.clone()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(std::error::Error::source(&error).is_some());
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[test]
fn a_refusal_says_what_to_do_about_it() {
    for (status, kind) in [
        (401, ErrorKind::Config),
        (403, ErrorKind::Config),
        (404, ErrorKind::NotFound),
        (409, ErrorKind::Rejected),
        (413, ErrorKind::Full),
        (429, ErrorKind::Unavailable),
        (500, ErrorKind::Unavailable),
        (507, ErrorKind::Full),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let error = refusal("create", status, "why", "the token");
        assert_eq!(error.kind(), kind, "{status}");
        let text = error.to_string();
        assert!(text.contains("create") && text.contains("why"), "{text}");
        assert_eq!(text.contains("the token"), kind == ErrorKind::Config);
    }
}
