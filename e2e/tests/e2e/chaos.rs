//! Everything breaks, again and again, in an order that a seed decides; nothing that was accepted is lost.

use faafo_e2e::cluster::{Cluster, Engine, Process};
use faafo_e2e::{Service, pictures, recipe};
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

/// Fractals asked for, and things broken meanwhile. `FAAFO_E2E_CHAOS=n` makes it n times as long.
const FRACTALS: usize = 40;
const FAULTS: usize = 12;

/// Numbers that look random and are the same each time (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

struct Installation {
    cluster: Cluster,
    apis: Vec<Service>,
    trackers: Vec<Process>,
    workers: Vec<Process>,
}

impl Installation {
    fn new(engine: Engine) -> Self {
        let cluster = Cluster::new(engine);
        let apis = vec![
            cluster.api(&["--no-tracker"]),
            cluster.api(&["--no-tracker"]),
        ];
        let trackers = vec![cluster.tracker(), cluster.tracker()];
        let workers = (0..3)
            .map(|_| cluster.worker(&[&apis[0], &apis[1]], &["--threads", "1"]))
            .collect();
        Self {
            cluster,
            apis,
            trackers,
            workers,
        }
    }

    fn worker(&self) -> Process {
        self.cluster
            .worker(&[&self.apis[0], &self.apis[1]], &["--threads", "1"])
    }

    fn break_something(&mut self, dice: &mut Dice) -> &'static str {
        match dice.roll(5) {
            0 => {
                let api = self.apis.remove(0);
                let address = api.address().to_string();
                api.kill9();
                sleep(Duration::from_millis(300));
                self.apis
                    .push(self.cluster.api_at(&address, &["--no-tracker"]));
                "an API server killed"
            }
            1 => {
                self.trackers.remove(0).kill9();
                self.trackers.push(self.cluster.tracker());
                "a tracker killed"
            }
            2 => {
                self.workers.remove(0).kill9();
                self.workers.push(self.worker());
                "a worker killed"
            }
            3 => {
                assert_eq!(self.workers.remove(0).terminate(), Some(0));
                self.workers.push(self.worker());
                "a worker told to stop"
            }
            _ => {
                let worker = &self.workers[dice.roll(3)];
                worker.freeze(true);
                sleep(Duration::from_secs(2));
                worker.freeze(false);
                "a worker frozen"
            }
        }
    }
}

fn survives(engine: Engine, seed: u64) {
    let times: usize = std::env::var("FAAFO_E2E_CHAOS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let (fractals, faults) = (FRACTALS * times, FAULTS * times);
    let mut dice = Dice(seed);
    let mut installation = Installation::new(engine);
    let mut ids = Vec::new();
    for fault in 0..faults {
        let begin = fractals * fault / faults;
        for number in begin..fractals * (fault + 1) / faults {
            let api = &installation.apis[dice.roll(2)];
            ids.push(api.create(&recipe::medium(number as u32)));
        }
        let what = installation.break_something(&mut dice);
        eprintln!("{fault}: {what}");
    }
    let api = &installation.apis[0];
    api.wait_until_all_done(fractals as u64);
    let mut referenced = BTreeSet::new();
    for id in &ids {
        referenced.insert(pictures::sha256(&api.picture(id)));
        referenced.insert(pictures::sha256(
            &api.get(&format!("/fractal/{id}/thumbnail")).body,
        ));
    }
    assert_eq!(
        installation.cluster.home().blobs(),
        referenced,
        "no picture without a row"
    );
}

#[test]
fn nothing_is_lost_on_postgres_whatever_is_killed() {
    survives(Engine::Postgres, 1);
}

#[test]
fn nothing_is_lost_on_mariadb_whatever_is_killed() {
    survives(Engine::MariaDb, 2);
}
