//! As large as one likes: `FAAFO_E2E_POSTER=100000` makes and checks a poster of that many pixels a side, and says what
//! it took. Without the variable a small one is made in the same way.

use super::bands_reported;
use super::bytes::colour;
use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::http::Request;
use faafo_e2e::{Service, reader};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What a process may hold in memory, in MiB.
const MOST_MEMORY: u64 = 256;
/// The same of one that renders nothing.
const MOST_MEMORY_WITHOUT_KERNEL: u64 = 150;
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

fn flags(side: u32) -> [&'static str; 4] {
    let band_area = match side {
        ..10_000 => "1000000",
        _ => "128000000",
    };
    ["--band-area", band_area, "--max-area", "10000000000"]
}

#[test]
fn a_large_poster_takes_little_memory_and_every_window_of_it_is_right() {
    let service = Service::start(&flags(side()));
    let process = Watched::new("up", service.process(), MOST_MEMORY);
    make_and_check(&service, &[process], |_| ());
}

#[test]
fn three_workers_share_a_large_poster_and_make_again_only_what_a_killed_one_had() {
    let cluster = Cluster::new(Engine::Postgres);
    let api = cluster.api(&flags(side()));
    let worker = || cluster.worker(&[&api], &["--slots", "1", "--threads", "1"]);
    let mut workers = [(); 3].map(|()| worker());
    // Those that take the killed ones' place are like them.
    let mut watched = vec![Watched::new(
        "api",
        api.process(),
        MOST_MEMORY_WITHOUT_KERNEL,
    )];
    watched.extend(
        workers
            .iter()
            .map(|worker| Watched::new("worker", worker.id(), MOST_MEMORY)),
    );
    // A small one is done before anybody could be killed; `lives.rs` has one that takes its time.
    let kills = if side() < 10_000 { 0 } else { 2 };
    let (mut total, mut killed) = (0, 0);
    make_and_check(&api, &watched, |row| {
        let bands = &row["bands"];
        let Some(done) = bands["done"].as_u64() else {
            return;
        };
        total = bands["total"].as_u64().unwrap();
        if killed < kills && done > total * (killed + 1) / 4 {
            std::mem::replace(&mut workers[killed as usize], worker()).kill9();
            killed += 1;
            eprintln!("killed a worker when {done} of {total} bands were done");
        }
    });
    assert_eq!(killed, kills);
    let reported = bands_reported(api.address());
    eprintln!("{reported} bands rendered for {total}");
    // One more if a worker was killed between saying that a band is done and acknowledging its task.
    let expected = total..=total + kills;
    assert!(kills == 0 || expected.contains(&reported), "{reported}");
}

/// A process whose memory is looked at.
struct Watched {
    name: &'static str,
    process: u32,
    /// MiB.
    limit: u64,
    most: AtomicU64,
}

impl Watched {
    fn new(name: &'static str, process: u32, limit: u64) -> Self {
        Self {
            name,
            process,
            limit,
            most: AtomicU64::new(0),
        }
    }
}

/// Makes the poster, showing each row on the way to `look`, and reads it as whoever asked for it does.
fn make_and_check(service: &Service, watched: &[Watched], mut look: impl FnMut(&Value)) {
    let side = side();
    let stop = Stop::default();
    let recipe = poster(side);
    let say = |what: &str, begun: Instant| {
        let most = watched
            .iter()
            .map(|one| format!("{} {} MiB", one.name, one.most.load(Relaxed)));
        let most: Vec<_> = most.collect();
        eprintln!(
            "{side}²: {what} after {:?}; at most {}",
            begun.elapsed(),
            most.join(", ")
        );
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.0.load(Relaxed) {
                for one in watched {
                    one.most.fetch_max(memory(one.process), Relaxed);
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let _stops = Stops(&stop);
        let begun = Instant::now();
        let id = service.create(&recipe);
        loop {
            let row = service.row(&id);
            if row["state"] == "done" {
                break;
            }
            assert!(
                row["state"] == "queued" || row["state"] == "rendering",
                "{row}"
            );
            look(&row);
            std::thread::sleep(Duration::from_millis(200));
        }
        say("stored", begun);
        check(service, &id, &recipe, side);
        say("sent and checked", begun);
    });
    for one in watched {
        let most = one.most.load(Relaxed);
        assert!(most < one.limit, "{}: {most} MiB", one.name);
    }
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
