//! What happens to the task of a worker that is no more, or seems to be.

use crate::events::Events;
use faafo_e2e::cluster::{Cluster, Engine, Process};
use faafo_e2e::{Service, pictures, recipe, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Instant;

/// A worker at work, and another one with nothing to do.
struct Pair {
    cluster: Cluster,
    api: Service,
    busy: Process,
    idle: Process,
    id: String,
    progress: f64,
}

impl Pair {
    fn new(recipe: impl FnOnce(&Service) -> Value) -> Self {
        let cluster = Cluster::new(Engine::Postgres);
        let api = cluster.api(&[]);
        let one = ["--slots", "1", "--threads", "1"];
        let busy = cluster.worker(&[&api], &one);
        let id = api.create(&recipe(&api));
        let progress = || api.row(&id)["progress"].as_f64().unwrap();
        wait_until("it has begun", || progress() > 0.0);
        let idle = cluster.worker(&[&api], &one);
        // It is there: the other one has no slot left.
        api.create_done(&recipe::small());
        Self {
            progress: progress(),
            cluster,
            api,
            busy,
            idle,
            id,
        }
    }

    /// Waits until somebody has begun from the beginning.
    fn begun_anew(&self) {
        wait_until("it is begun anew", || {
            let row = self.api.row(&self.id);
            assert_eq!(row["attempt"], 1, "the broker was quicker than the lease");
            row["progress"].as_f64().unwrap() < self.progress || row["state"] == "done"
        });
    }
}

/// What takes a thread some seconds, as fast as this machine is at the moment.
fn lasting(api: &Service, seconds: f64) -> Value {
    let of_height = |height: u32| {
        let changes = json!({"width": 1800, "height": height, "iterations": 60_000});
        recipe::with(recipe::medium(0), changes)
    };
    let sample = api.create_done(&of_height(20));
    let took = api.row(&sample)["duration"].as_f64().unwrap();
    of_height((20.0 * seconds / took).clamp(20.0, 5000.0) as u32)
}

/// What the workers last said of themselves.
fn workers(api: &Service) -> Vec<Value> {
    let workers = api.json("/v1/workers");
    workers["workers"].as_array().unwrap().clone()
}

/// Defect 6: a killed worker was noticed late or never.
#[test]
fn a_killed_worker_s_task_runs_elsewhere_within_5_s() {
    let mut pair = Pair::new(|_| recipe::long());
    // So far that nobody who begins anew is there at once.
    wait_until("it has gone on for a while", || {
        let progress = pair.api.row(&pair.id)["progress"].as_f64().unwrap();
        let far = progress > 4.0 * pair.progress;
        far.then(|| pair.progress = progress);
        far
    });
    let idle = pair.cluster.worker(&[&pair.api], &["--slots", "1"]);
    let killed = Instant::now();
    std::mem::replace(&mut pair.busy, idle).kill9();
    pair.begun_anew();
    let seconds = killed.elapsed().as_secs_f64();
    eprintln!("a killed worker's task runs elsewhere after {seconds:.2} s");
    assert!(seconds < 5.0, "{seconds}");
    pair.api.delete(&pair.id);
}

#[test]
fn a_frozen_worker_s_task_runs_elsewhere_within_its_lease_and_its_late_result_does_no_harm() {
    // Until a worker says what it works on takes 5 s.
    let pair = Pair::new(|api| lasting(api, 15.0));
    let events = Events::subscribe(&pair.api);
    wait_until("it says what it works on", || {
        let busy = |worker: &Value| worker["current"] == json!([pair.id]);
        workers(&pair.api).iter().any(busy)
    });
    let frozen = Instant::now();
    pair.busy.freeze(true);
    let progress = pair.api.row(&pair.id)["progress"].as_f64().unwrap();
    let pair = Pair { progress, ..pair };
    pair.begun_anew();
    let seconds = frozen.elapsed().as_secs_f64();
    eprintln!("a frozen worker's task runs elsewhere after {seconds:.2} s");
    assert!(seconds < 30.0, "{seconds}");

    pair.api.wait_until_state(&pair.id, "done");
    let (row, picture) = (pair.api.row(&pair.id), pair.api.picture(&pair.id));
    pair.busy.freeze(false);
    wait_until("it is there again, and finishes what it has begun", || {
        let idle = |worker: &Value| worker["current"] == json!([]);
        workers(&pair.api).iter().all(idle)
    });
    assert_eq!(pair.busy.terminate(), Some(0));
    assert_eq!(pair.idle.terminate(), Some(0));
    wait_until("all reports are recorded", || {
        pair.cluster.messages().values().all(|&number| number == 0)
    });
    assert_eq!(pair.api.row(&pair.id), row);
    assert!(pair.api.picture(&pair.id) == picture);
    assert_eq!(pair.api.count("done"), 3);
    // Both workers have reported that it is done; it became so once.
    let last = pair.api.create(&recipe::small());
    pair.api.delete(&last);
    let changes = std::iter::from_fn(|| events.next()).map(|(_, event)| event);
    let before = changes.take_while(|event| event["uuid"] != last || event["change"] != "deleted");
    let done = before.filter(|event| event["uuid"] == pair.id && event["change"] == "done");
    assert_eq!(done.count(), 1);
    wait_until("no blob is left over", || {
        let rows = pair.api.json("/v1/fractal?results_per_page=-1");
        let mut referenced = BTreeSet::new();
        for row in rows["objects"].as_array().unwrap() {
            let id = row["uuid"].as_str().unwrap();
            referenced.insert(row["checksum"].as_str().unwrap().to_owned());
            let thumbnail = pair.api.get(&format!("/fractal/{id}/thumbnail")).body;
            referenced.insert(pictures::sha256(&thumbnail));
        }
        pair.cluster.home().blobs() == referenced
    });
}
