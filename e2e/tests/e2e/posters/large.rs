//! As large as one likes: `FAAFO_E2E_POSTER=100000` makes and checks a poster of that many pixels a side, and says what
//! it took. Without the variable a small one is made in the same way.

use super::bytes::colour;
use faafo_e2e::http::Request;
use faafo_e2e::{Service, reader};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What the process may hold in memory, in MiB.
const MOST_MEMORY: u64 = 256;
/// Windows compared, and their sides.
const WINDOWS: u32 = 20;
const WINDOW: u32 = 200;

fn side() -> u32 {
    let side = std::env::var("FAAFO_E2E_POSTER").ok();
    side.map_or(4000, |side| side.parse().expect("pixels"))
}

/// MiB that the process holds in memory.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn poster(side: u32) -> Value {
    json!({"kind": "mandelbrot", "width": side, "height": side, "iterations": 100, "palette": "classic",
        "xa": -2.0, "xb": 0.7, "ya": -1.35, "yb": 1.35})
}

#[test]
fn a_large_poster_takes_little_memory_and_every_window_of_it_is_right() {
    let side = side();
    let band_area = if side < 10_000 {
        "1000000"
    } else {
        "128000000"
    };
    let service = Service::start(&["--band-area", band_area, "--max-area", "10000000000"]);
    let (most, stop) = (AtomicU64::new(0), Stop::default());
    let recipe = poster(side);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.0.load(Relaxed) {
                most.fetch_max(memory(service.process()), Relaxed);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let _stops = Stops(&stop);
        let begun = Instant::now();
        let id = service.create(&recipe);
        let mut told = 0;
        loop {
            let row = service.row(&id);
            if row["state"] == "done" {
                break;
            }
            assert!(
                row["state"] == "queued" || row["state"] == "rendering",
                "{row}"
            );
            let tenth = (row["progress"].as_f64().unwrap() * 10.0) as u32;
            if tenth > told {
                told = tenth;
                eprintln!("{:?}: {row}", begun.elapsed());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        eprintln!(
            "{side}²: {:?}, at most {} MiB",
            begun.elapsed(),
            most.load(Relaxed)
        );
        check(&service, &id, &recipe, side);
        eprintln!(
            "sent and checked after {:?}, at most {} MiB",
            begun.elapsed(),
            most.load(Relaxed)
        );
    });
    assert!(
        most.load(Relaxed) < MOST_MEMORY,
        "{} MiB",
        most.load(Relaxed)
    );
}

/// Tells the other thread to stop.
#[derive(Default)]
struct Stop(AtomicBool);

/// Does so also when this one fails.
struct Stops<'s>(&'s Stop);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Relaxed);
    }
}

fn check(service: &Service, id: &str, recipe: &Value, side: u32) {
    let mut random = fastrand::Rng::with_seed(side.into());
    let mut corner = || random.u32(..side - WINDOW);
    let windows: Vec<_> = (0..WINDOWS).map(|_| (corner(), corner())).collect();
    let (head, mut body) = service
        .connect()
        .begin(&Request::get(&format!("/fractal/{id}")));
    assert_eq!(head.status, 200);
    let mut compared = 0;
    let seen = reader::read(&mut body, |y, pixel| {
        for (left, top) in &windows {
            if (*top..top + WINDOW).contains(&y) {
                for x in *left..left + WINDOW {
                    assert_eq!(pixel(x as usize), colour(recipe, x, y), "{x}, {y}");
                    compared += 1;
                }
            }
        }
    });
    assert_eq!(compared, WINDOWS * WINDOW * WINDOW);
    assert_eq!((seen.width, seen.height), (side, side));
    let row = service.row(id);
    assert_eq!(row["checksum"], *seen.sha256);
    assert_eq!(row["size"], seen.size);
    eprintln!("{row}");
}
