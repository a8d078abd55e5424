//! `faafo workers`: who renders.

use crate::args::WorkersArgs;
use crate::client::Client;
use crate::output::Output;
use crate::table;
use faafo_model::{Timestamp, Uuid};
use serde::Deserialize;
use std::time::{Duration, SystemTime};

/// What the list shows of a worker.
#[derive(Deserialize)]
struct Row {
    name: String,
    version: String,
    cores: u32,
    current: Vec<Uuid>,
    last_seen: Timestamp,
}

const HEADS: [&str; 5] = ["Name", "Version", "Cores", "Last seen", "Current"];

/// Prints the workers by name.
pub async fn run(client: &Client, args: &WorkersArgs, out: &mut Output) -> anyhow::Result<()> {
    let workers = client.workers().await?;
    if args.json {
        return workers
            .iter()
            .try_for_each(|worker| out.line(&worker.to_string()));
    }
    let now = SystemTime::now().into();
    let mut rows = vec![HEADS.map(str::to_owned)];
    for worker in workers {
        rows.push(cells(&serde_json::from_value(worker)?, now));
    }
    out.bytes(table::columns(&rows).as_bytes())
}

fn cells(row: &Row, now: Timestamp) -> [String; 5] {
    let current: Vec<_> = row.current.iter().map(Uuid::to_string).collect();
    [
        row.name.clone(),
        row.version.clone(),
        row.cores.to_string(),
        ago(now, row.last_seen),
        current.join(" "),
    ]
}

/// How long ago, in the largest unit that fits.
fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds =
        Duration::from_micros(now.0.saturating_sub(then.0).max(0).unsigned_abs()).as_secs();
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        _ => format!("{} h ago", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_shown_with_what_it_does_and_when_it_was_heard_of() {
        let row = r#"{"name":"rack-7-21","version":"0.1.0","cores":8,"host":"rack-7","stopped":false,
            "current":["00000000-0000-4000-8000-000000000001"],"first_seen":"2026-09-21T14:00:00Z",
            "last_seen":"2026-09-21T14:13:20Z"}"#;
        let row: Row = serde_json::from_str(row).unwrap();
        let after = |seconds| row.last_seen.plus(Duration::from_secs(seconds));
        assert_eq!(
            cells(&row, after(3)),
            [
                "rack-7-21",
                "0.1.0",
                "8",
                "3 s ago",
                "00000000-0000-4000-8000-000000000001"
            ]
        );
        assert_eq!(ago(after(59), row.last_seen), "59 s ago");
        assert_eq!(ago(after(61), row.last_seen), "1 min ago");
        assert_eq!(ago(after(7300), row.last_seen), "2 h ago");
        assert_eq!(ago(Timestamp(0), row.last_seen), "0 s ago");
    }
}
