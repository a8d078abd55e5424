//! Those who listen to the events of each API server.

use super::installation::Installation;
use faafo_e2e::http::{Connection, Request};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

/// Listeners at work.
pub struct Watchers {
    stop: Arc<AtomicBool>,
    listening: Vec<JoinHandle<Heard>>,
}

/// For each fractal the changes that end its life or its work, as one listener heard them.
type Heard = BTreeMap<String, Vec<String>>;

/// What was heard, by each listener.
pub struct Events(pub Vec<Heard>);

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<usize> = self.0.iter().map(BTreeMap::len).collect();
        write!(f, "the ends of {numbers:?} of them were announced")
    }
}

impl Watchers {
    /// One for each API server.
    pub fn start(installation: &Installation) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let listen = |address: &SocketAddr| {
            let (address, stop) = (*address, Arc::clone(&stop));
            spawn(move || listen(address, &stop))
        };
        Self {
            listening: installation.addresses.iter().map(listen).collect(),
            stop,
        }
    }

    /// To be called while the servers still run.
    pub fn finish(self) -> Events {
        self.stop.store(true, SeqCst);
        let heard = self
            .listening
            .into_iter()
            .map(|heard| heard.join().unwrap());
        Events(heard.collect())
    }
}

/// Listens, and again whenever the server was away.
fn listen(address: SocketAddr, stop: &AtomicBool) -> Heard {
    let mut heard = Heard::new();
    let request = Request::get("/v1/events").header("Accept", "text/event-stream");
    while !stop.load(SeqCst) {
        let begun = Connection::try_open(address).and_then(|server| server.try_begin(&request));
        let Ok((head, body)) = begun else {
            sleep(Duration::from_millis(20));
            continue;
        };
        assert_eq!(head.status, 200);
        for line in BufReader::new(body).lines() {
            let Ok(line) = line else { break };
            if let Some(data) = line.strip_prefix("data: ") {
                note(&mut heard, &serde_json::from_str(data).unwrap());
            }
            // A line comes every 15 s at least.
            if stop.load(SeqCst) {
                break;
            }
        }
    }
    heard
}

fn note(heard: &mut Heard, event: &Value) {
    let (Some(id), Some(change)) = (event["uuid"].as_str(), event["change"].as_str()) else {
        return;
    };
    if matches!(change, "done" | "failed" | "cancelled" | "deleted") {
        let changes = heard.entry(id.to_owned()).or_default();
        changes.push(change.to_owned());
    }
}
