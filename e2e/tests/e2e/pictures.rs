//! Pictures over HTTP: stored once, sent as they are.

use faafo_e2e::http::{Answer, Request};
use faafo_e2e::{Service, pictures, recipe};
use serde_json::json;

/// A service with one finished picture, and its address there.
fn with_picture() -> (Service, String) {
    let service = Service::start(&[]);
    let id = service.create_done(&recipe::with(
        recipe::small(),
        json!({"width": 900, "height": 400}),
    ));
    (service, format!("/fractal/{id}"))
}

fn etag(answer: &Answer) -> String {
    answer.header("etag").unwrap().to_owned()
}

#[test]
fn a_picture_never_changes_and_says_so() {
    let (service, path) = with_picture();
    let whole = service.get(&path);
    assert_eq!(whole.header("content-type"), Some("image/png"));
    assert_eq!(
        whole.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(
        etag(&whole),
        format!("\"{}\"", pictures::sha256(&whole.body))
    );
    assert_eq!(pictures::decoded_size(&whole.body), (900, 400));

    for known in [
        etag(&whole),
        "*".to_owned(),
        format!("\"x\", W/{}", etag(&whole)),
    ] {
        let answer = service.send(&Request::get(&path).header("If-None-Match", &known));
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{known}");
        assert_eq!(etag(&answer), etag(&whole));
    }
    let answer = service.send(&Request::get(&path).header("If-None-Match", "\"other\""));
    assert_eq!((answer.status, answer.body), (200, whole.body));
}

#[test]
fn head_tells_all_but_the_picture() {
    let (service, path) = with_picture();
    let whole = service.get(&path);
    // The next answer on the same connection shows that nothing followed the head.
    let mut connection = service.connect();
    for _ in 0..2 {
        let head = connection.send(&Request::new("HEAD", &path));
        assert_eq!(head.status, 200);
        assert_eq!(
            head.header("content-length"),
            Some(whole.body.len().to_string().as_str())
        );
        for name in ["content-type", "etag", "accept-ranges", "cache-control"] {
            assert_eq!(head.header(name), whole.header(name), "{name}");
        }
    }
}

#[test]
fn a_part_is_sent_where_a_part_is_asked_for() {
    let (service, path) = with_picture();
    let whole = service.get(&path).body;
    let size = whole.len();
    let mut connection = service.connect();
    for (range, expected) in [
        ("bytes=0-0".to_owned(), 0..1),
        ("bytes=5-99".to_owned(), 5..100),
        ("bytes=100-".to_owned(), 100..size),
        ("bytes=-7".to_owned(), size - 7..size),
        (format!("bytes=0-{}", size * 2), 0..size),
    ] {
        let part = connection.send(&Request::get(&path).header("Range", &range));
        assert_eq!(part.status, 206, "{range}");
        let content_range = format!("bytes {}-{}/{size}", expected.start, expected.end - 1);
        assert_eq!(part.header("content-range"), Some(content_range.as_str()));
        assert!(part.body == whole[expected], "{range}");
    }
    for range in [format!("bytes={size}-"), "bytes=-0".to_owned()] {
        let answer = connection.send(&Request::get(&path).header("Range", &range));
        assert_eq!(answer.status, 416, "{range}");
        assert_eq!(
            answer.header("content-range"),
            Some(format!("bytes */{size}").as_str())
        );
    }
    for range in ["lines=1-2", "bytes=9-3", "bytes=x"] {
        let answer = connection.send(&Request::get(&path).header("Range", range));
        assert!(answer.status == 200 && answer.body == whole, "{range}");
    }
}

#[test]
fn a_part_of_another_picture_is_not_sent() {
    let (service, path) = with_picture();
    let etag = etag(&service.get(&path));
    let part = Request::get(&path).header("Range", "bytes=10-19");
    let same = service.send(&part.clone().header("If-Range", &etag));
    assert_eq!((same.status, same.body.len()), (206, 10));
    let other = service.send(&part.header("If-Range", "\"other\""));
    assert_eq!(other.status, 200);
    assert_eq!(pictures::decoded_size(&other.body), (900, 400));
}

#[test]
fn thumbnails_are_small_and_keep_the_proportions() {
    let service = Service::start(&[]);
    for (width, height, expected) in [
        (900, 400, (300, 133)),
        (50, 700, (21, 300)),
        (120, 90, (120, 90)),
        (1, 1, (1, 1)),
    ] {
        let id = service.create_done(&recipe::with(
            recipe::small(),
            json!({"width": width, "height": height}),
        ));
        let answer = service.get(&format!("/fractal/{id}/thumbnail"));
        assert_eq!(answer.header("content-type"), Some("image/png"));
        assert_eq!(
            etag(&answer),
            format!("\"{}\"", pictures::sha256(&answer.body))
        );
        let size = pictures::decoded_size(&answer.body);
        let off = size.0.abs_diff(expected.0) + size.1.abs_diff(expected.1);
        assert!(
            size.0 <= 300 && size.1 <= 300 && off <= 1,
            "{width} × {height}: {size:?}"
        );
    }
}

#[test]
fn browsers_save_what_is_asked_for_as_a_download() {
    let (service, path) = with_picture();
    let id = path.trim_start_matches("/fractal/");
    let answer = service.get(&format!("{path}?download"));
    let expected = format!("attachment; filename=\"{id}.png\"");
    assert_eq!(
        answer.header("content-disposition"),
        Some(expected.as_str())
    );
    assert_eq!(service.get(&path).header("content-disposition"), None);
}

#[test]
fn what_is_not_there_is_told_clearly() {
    let service = Service::start(&["--slots", "0"]);
    let id = service.create(&recipe::small());
    for path in [format!("/fractal/{id}"), format!("/fractal/{id}/thumbnail")] {
        let answer = service.get(&path);
        assert_eq!(answer.status, 202);
        assert_eq!(answer.json()["state"], "queued");
        assert!(
            answer.json()["detail"]
                .as_str()
                .unwrap()
                .contains("no picture yet")
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("retry-after").is_some());
    }
    for id in [
        "00000000-0000-4000-8000-000000000098",
        "nonsense",
        "..%2f..%2ffaafo.db",
    ] {
        let answer = service.get(&format!("/fractal/{id}"));
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json()["message"], "Fracal not found");
    }
}

#[test]
fn no_answer_lets_foreign_content_in() {
    let (service, path) = with_picture();
    let id = path.trim_start_matches("/fractal/");
    for path in [
        &path,
        "/",
        "/new",
        &format!("/picture/{id}"),
        "/nothing",
        "/v1/fractal",
        "/static/base.css",
    ] {
        let answer = service.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
    }
}
