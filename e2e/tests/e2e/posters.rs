//! Posters: pictures that are rendered in bands, by all workers together.

pub(crate) mod bytes;
mod cancel;
mod copied;
mod lanes;
mod large;
mod lives;

use faafo_e2e::http::Request;
use faafo_e2e::metrics::Metrics;
use faafo_e2e::{Service, wait_until};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// A picture of 53 blocks of rows.
pub(crate) fn poster() -> Value {
    json!({"kind": "mandelbrot", "width": 2000, "height": 1100, "iterations": 300, "palette": "aurora",
        "xa": -2.5, "xb": 1.1, "ya": -1.35, "yb": 1.35})
}

/// Half a minute for one core, in 29 blocks that all take equally long.
fn hard_poster() -> Value {
    json!({"kind": "julia", "cx": 0.25, "cy": 0.0, "width": 3000, "height": 400, "iterations": 20_000,
        "xa": -0.2, "xb": 0.1, "ya": -0.1, "yb": 0.1, "palette": "aurora"})
}

/// The bands of a hard poster where each is to be one block of 14 rows.
const HARD_BANDS: u64 = 29;
const HARD_BAND_AREA: &str = "42000";

/// How many bands were reported as done to this tracker.
pub(crate) fn bands_reported(address: SocketAddr) -> u64 {
    Metrics::read(address).get("faafo_reports_recorded_total{result=\"band\"}") as u64
}

/// How many tasks this process works on.
fn busy(address: SocketAddr) -> u64 {
    Metrics::read(address).sum("faafo_slots_busy") as u64
}

/// How many bands of the poster are done; none before it is planned.
fn bands_done(service: &Service, id: &str) -> u64 {
    service.row(id)["bands"]["done"].as_u64().unwrap_or(0)
}

/// Asks for a change of its state, which must be possible.
fn ask(service: &Service, verb: &str, id: &str) {
    let answer = service.send(&Request::new("POST", &format!("/v1/fractal/{id}/{verb}")));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// A hard poster of which some bands are done.
fn growing(service: &Service) -> String {
    let id = service.create(&hard_poster());
    wait_until("some bands are done", || bands_done(service, &id) >= 3);
    id
}
