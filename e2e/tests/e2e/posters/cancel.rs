//! A poster that is cancelled has stopped within a second, wherever it is on its way: in one process and in a cluster.

use super::{HARD_BAND_AREA, ask, bands_done, busy, growing, hard_poster};
use crate::observe::lookouts;
use faafo_e2e::cluster::{Cluster, Engine, Process};
use faafo_e2e::metrics::Metrics;
use faafo_e2e::proxy::Proxy;
use faafo_e2e::servers::Objects;
use faafo_e2e::{Home, Service, recipe, wait_until};
use serde_json::json;
use std::fs::read_to_string;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Nobody works on it any more after this.
const AT_ONCE: Duration = Duration::from_secs(1);
/// For so long it is looked at what a process does that has nothing to do, and may work in that time.
const IDLE: (Duration, f64) = (Duration::from_millis(500), 0.2);
/// The worker tells what becomes of its tasks.
const LOG: &str = "info,faafo_worker=debug";
/// One thing after the other in each lane.
const ONE: [&str; 4] = ["--slots", "1", "--threads", "1"];

/// A service whose only worker's storage can be broken.
struct Place {
    api: Service,
    /// Where the worker says what it does.
    worker: SocketAddr,
    to_storage: Proxy,
    _objects: Objects,
    apart: Option<(Cluster, Process)>,
}

impl Place {
    fn in_one_process() -> Self {
        let (objects, to_storage, storage) = storage();
        let home = Home::new();
        home.settings(&format!("storage_url = '{storage}'\nlog_level = '{LOG}'"));
        let api = home.start(&[&ONE[..], &["--band-area", HARD_BAND_AREA]].concat());
        Self {
            worker: api.address(),
            api,
            to_storage,
            _objects: objects,
            apart: None,
        }
    }

    fn in_a_cluster() -> Self {
        let (objects, to_storage, storage) = storage();
        let cluster = Cluster::new(Engine::Postgres).with_storage(&objects.url(objects.address()));
        let api = cluster.api(&["--band-area", HARD_BAND_AREA]);
        let flags = [
            "--metrics-listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
            "--log-level",
            LOG,
            "--storage-url",
            &storage,
        ];
        let worker = cluster.worker(&[&api], &[&ONE[..], &flags].concat());
        Self {
            worker: lookouts(&cluster, 1)[0],
            api,
            to_storage,
            _objects: objects,
            apart: Some((cluster, worker)),
        }
    }

    /// Cancels the poster that the worker works on.
    fn stops_at_once(&self, id: &str) {
        assert_eq!(busy(self.worker), 1);
        let begun = Instant::now();
        ask(&self.api, "cancel", id);
        // Until then the database syncs its disk, which takes as long as it takes.
        let asked = Instant::now();
        assert_eq!(self.api.row(id)["state"], "cancelled");
        // Metrics would be as slow to come as storage is to answer.
        wait_until("the worker gives it up", || self.is_given_up(id));
        let took = asked.elapsed();
        eprintln!("asked in {:?}, stopped after {took:?}", asked - begun);
        assert!(took < AT_ONCE, "{took:?}");
        assert_eq!(busy(self.worker), 0);
        // Nor does a thread go on that nobody waits for.
        let worked = || Metrics::read(self.worker).get("process_cpu_seconds_total");
        let before = worked();
        sleep(IDLE.0);
        let worked = worked() - before;
        assert!(worked < IDLE.1, "{worked} s of work");
    }

    fn is_given_up(&self, id: &str) -> bool {
        let is_it = |line: &str| line.contains(id) && line.contains("unwanted");
        self.log().lines().any(is_it)
    }

    /// What the worker has said.
    fn log(&self) -> String {
        let apart = self.apart.as_ref().map(|(cluster, _)| cluster.home());
        read_to_string(apart.unwrap_or(self.api.home()).log()).unwrap_or_default()
    }
}

/// Storage, and the worker's way there.
fn storage() -> (Objects, Proxy, String) {
    let objects = Objects::start();
    let proxy = Proxy::to(objects.address());
    let url = objects.url(proxy.address());
    (objects, proxy, url)
}

/// Its first sample alone takes minutes.
fn a_poster_that_is_planned_stops(place: &Place) {
    let endless = json!({"iterations": 10_000_000, "supersampling": 4});
    let id = place.api.create(&recipe::with(hard_poster(), endless));
    place.api.wait_until_state(&id, "rendering");
    assert_eq!(place.api.row(&id)["bands"], json!(null));
    place.stops_at_once(&id);
}

fn a_poster_that_grows_stops(place: &Place) {
    let id = growing(&place.api);
    place.stops_at_once(&id);
}

/// Its bands are copied out of a store that is away and into it.
fn a_poster_that_is_joined_stops(place: &Place) {
    let api = &place.api;
    let id = api.create(&recipe::with(hard_poster(), json!({"iterations": 5_000})));
    wait_until("it is planned", || bands_done(api, &id) > 0);
    // In the slot in which the poster would be joined.
    let ahead = json!({"iterations": 10_000_000, "height": 100});
    let ahead = api.create(&recipe::with(recipe::medium(0), ahead));
    wait_until("it waits to be joined", || {
        api.row(&id)["state"] == "queued"
    });
    place.to_storage.down();
    ask(api, "cancel", &ahead);
    // By now it pauses for seconds.
    wait_until("storing has failed again and again", || {
        place.log().matches("can't store the picture").count() >= 3
    });
    place.stops_at_once(&id);
}

#[test]
fn a_poster_stops_at_once_while_it_is_planned() {
    a_poster_that_is_planned_stops(&Place::in_one_process());
}

#[test]
fn a_poster_of_a_cluster_stops_at_once_while_it_is_planned() {
    a_poster_that_is_planned_stops(&Place::in_a_cluster());
}

#[test]
fn a_poster_stops_at_once_while_it_grows() {
    a_poster_that_grows_stops(&Place::in_one_process());
}

#[test]
fn a_poster_of_a_cluster_stops_at_once_while_it_grows() {
    a_poster_that_grows_stops(&Place::in_a_cluster());
}

#[test]
fn a_poster_stops_at_once_while_it_is_joined() {
    a_poster_that_is_joined_stops(&Place::in_one_process());
}

#[test]
fn a_poster_of_a_cluster_stops_at_once_while_it_is_joined() {
    a_poster_that_is_joined_stops(&Place::in_a_cluster());
}
