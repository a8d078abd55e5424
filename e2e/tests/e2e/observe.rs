//! What the service tells those who look at it from outside: metrics, log lines, traces, its description.

mod description;
mod logs;
mod metrics;
mod traces;

use faafo_e2e::cluster::Cluster;
use faafo_e2e::wait_for;
use serde_json::Value;
use std::fs::read_to_string;
use std::net::SocketAddr;

/// The lines of a log in JSON.
#[track_caller]
fn lines(log: &str) -> Vec<Value> {
    let lines = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}")));
    lines.collect()
}

/// Where the processes of a cluster that log as JSON say that their metrics are, once there are so many.
#[track_caller]
pub fn lookouts(cluster: &Cluster, number: usize) -> Vec<SocketAddr> {
    wait_for("all processes say where their metrics are", || {
        let log = read_to_string(cluster.home().log()).unwrap_or_default();
        // The last line may be half written.
        let whole = &log[..log.rfind('\n').map_or(0, |end| end + 1)];
        let found: Vec<SocketAddr> = lines(whole)
            .iter()
            .filter(|line| line["message"] == "metrics and health")
            .map(|line| line["address"].as_str().unwrap().parse().unwrap())
            .collect();
        (found.len() == number).then_some(found)
    })
}
