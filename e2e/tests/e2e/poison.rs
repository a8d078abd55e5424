//! Recipes that are poison to workers: they fail, with the reason, and everything else is done.

use faafo_e2e::cluster::{Cluster, Engine, Process};
use faafo_e2e::{Service, recipe, wait_until};
use serde_json::{Value, json};

const GOOD: usize = 100;
const POISONOUS: usize = 5;
/// What the failpoint reacts to.
const ITERATIONS: u32 = 777;

/// Good and poisonous ones, mixed; returns the names of the latter.
fn create_all(api: &Service) -> Vec<String> {
    let poison = recipe::with(recipe::small(), json!({"iterations": ITERATIONS}));
    let every = (GOOD + POISONOUS) / POISONOUS;
    let mut poisonous = Vec::new();
    for number in 0..GOOD + POISONOUS {
        if number % every == every / 2 {
            poisonous.push(api.create(&poison));
        } else {
            api.create(&recipe::small());
        }
    }
    assert_eq!(poisonous.len(), POISONOUS);
    poisonous
}

/// Starts a worker again whenever one dies, as a machine's init does, until all fractals have ended. Returns how many
/// died.
fn supervise(api: &Service, start: impl Fn() -> Process) -> usize {
    let mut workers: Vec<Process> = (0..3).map(|_| start()).collect();
    let mut deaths = 0;
    wait_until("all have ended", || {
        for worker in &mut workers {
            if worker.has_ended() {
                deaths += 1;
                *worker = start();
            }
        }
        api.count("queued") + api.count("rendering") == 0
    });
    deaths
}

fn poison_is_found_and_the_others_are_done(engine: Engine, fault: &str) -> (usize, Vec<Value>) {
    let cluster = Cluster::new(engine).with_failpoint(&format!("{fault}@{ITERATIONS}"));
    let api = cluster.api(&[]);
    let poisonous = create_all(&api);
    let start = || cluster.worker(&[&api], &["--slots", "2", "--threads", "1"]);
    let deaths = supervise(&api, start);
    assert_eq!(api.count("done"), GOOD as u64);
    assert_eq!(api.count("failed"), POISONOUS as u64);
    wait_until("nothing waits in the queue", || {
        let messages = cluster.messages();
        assert!(messages.len() >= 5, "{messages:?}");
        messages
            .iter()
            .all(|(queue, messages)| *messages == 0 || queue.ends_with("faafo.dead"))
    });
    let rows = poisonous.iter().map(|id| api.row(id)).collect();
    (deaths, rows)
}

#[test]
fn recipes_that_make_the_renderer_panic_fail_and_a_hundred_others_are_done() {
    let (deaths, rows) = poison_is_found_and_the_others_are_done(Engine::Postgres, "panic");
    assert_eq!(deaths, 0, "a worker survives a panic");
    for row in rows {
        let error = row["error"].as_str().unwrap();
        assert_eq!(row["attempt"], 5);
        assert!(error.contains("gave up after 5 attempts"), "{error}");
        assert!(error.contains("a poisonous recipe"), "{error}");
    }
}

#[test]
fn recipes_that_kill_their_workers_fail_and_a_hundred_others_are_done() {
    let (deaths, rows) = poison_is_found_and_the_others_are_done(Engine::MariaDb, "abort");
    eprintln!("{deaths} workers died of {POISONOUS} fractals");
    // Two may share a worker's death.
    assert!((5..=25).contains(&deaths), "{deaths}");
    for row in rows {
        let error = row["error"].as_str().unwrap();
        assert!(error.contains("gave up after 5 attempts"), "{error}");
    }
}
