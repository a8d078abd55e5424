//! What is served is what was stored, and serving it is in nobody's way.

use faafo_e2e::http::Request;
use faafo_e2e::{Home, Service, pictures, recipe};
use serde_json::json;
use std::io::Read;
use std::time::{Duration, Instant};

/// Defect 14: pictures were decoded and encoded again for each view, so that the checksum did not match.
#[test]
fn the_checksum_is_that_of_every_download() {
    let service = Service::start(&[]);
    let id = service.create_done(&recipe::with(
        recipe::small(),
        json!({"width": 640, "height": 480}),
    ));
    let first = service.picture(&id);
    assert!(service.picture(&id) == first);

    let mut pieces = Vec::new();
    let mut connection = service.connect();
    while pieces.len() < first.len() {
        let range = format!("bytes={}-{}", pieces.len(), pieces.len() + 9_999);
        let piece =
            connection.send(&Request::get(&format!("/fractal/{id}")).header("Range", &range));
        assert_eq!(piece.status, 206);
        pieces.extend(piece.body);
    }
    assert_eq!(service.row(&id)["checksum"], pictures::sha256(&pieces));
}

/// Defect 22: one slow download blocked the whole API, and so did a busy worker.
#[test]
fn slow_downloads_and_busy_workers_leave_the_pages_fast() {
    let home = Home::new();
    let service = home.start(&["--slots", "0"]);
    // The largest that is taken this way; more than all the buffers between the two ends of a connection hold.
    let id = service.create(&recipe::with(
        recipe::small(),
        json!({"width": 2800, "height": 2600}),
    ));
    service.put(&id, &pictures::some_png(2800, 2600));
    service.terminate();
    let service = home.start(&[]);
    let download = Request::get(&format!("/fractal/{id}"));
    let mut slow = Vec::new();
    for _ in 0..16 {
        let (head, body) = service.connect().begin(&download);
        let size: u64 = head.header("content-length").unwrap().parse().unwrap();
        assert!(size > 20_000_000, "{size}");
        slow.push(body);
    }
    let busy: Vec<String> = (0..4).map(|_| service.create(&recipe::long())).collect();
    service.wait_until_state(&busy[0], "rendering");

    for round in 0..25 {
        let body = &mut slow[round % 16];
        body.read_exact(&mut [0; 1000]).unwrap();
        for path in ["/", "/v1/fractal", "/v1/status", &format!("/picture/{id}")] {
            let begun = Instant::now();
            assert_eq!(service.get(path).status, 200);
            // Far above what it takes, far below what a blocked service would.
            assert!(
                begun.elapsed() < Duration::from_secs(2),
                "{path}: {:?}",
                begun.elapsed()
            );
        }
    }
    for id in &busy {
        service.delete(id);
    }
    let mut rest = Vec::new();
    slow[0].read_to_end(&mut rest).unwrap();
    // Two rounds have read the beginning.
    assert!(rest == service.picture(&id)[2000..]);
}
