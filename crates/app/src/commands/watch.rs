//! `faafo watch`: prints what happens while it happens.

use crate::args::WatchArgs;
use crate::client::{Client, Follower, Notice, PATIENCE, Update, follow, subscribe};
use crate::output::{self, Output};
use anyhow::bail;
use faafo_model::message::Change;
use faafo_model::{Event, State};
use tokio::time::Instant;

/// Prints all events for ever, or those of certain fractals until nothing more happens to them.
pub async fn run(client: &Client, args: &WatchArgs, out: &mut Output) -> anyhow::Result<()> {
    let json = args.json;
    if args.uuids.is_empty() {
        return watch_all(client, json, out).await;
    }
    let mut printer = Printer {
        out,
        json,
        lost: Vec::new(),
    };
    follow(client, &args.uuids, &mut printer).await?;
    if printer.lost.is_empty() {
        return Ok(());
    }
    bail!("{}", printer.lost.join("; "))
}

async fn watch_all(client: &Client, json: bool, out: &mut Output) -> anyhow::Result<()> {
    let mut notices = subscribe(client);
    let mut ever_connected = false;
    let mut away_since = None;
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Connected => {
                ever_connected = true;
                if away_since.take().is_some() {
                    output::note("faafo: the service is back; events may have been missed");
                }
            }
            Notice::Event(event) => {
                out.line(&line(&event, json)?)?;
                out.flush()?;
            }
            Notice::Lost(error) => {
                if !ever_connected || !error.is_transient() {
                    return Err(error.into());
                }
                let since = *away_since.get_or_insert_with(|| {
                    output::note(&format!("faafo: {error}; trying again for a minute"));
                    Instant::now()
                });
                if since.elapsed() > PATIENCE {
                    return Err(error.into());
                }
            }
        }
    }
    Ok(())
}

struct Printer<'a> {
    out: &'a mut Output,
    json: bool,
    lost: Vec<String>,
}

impl Follower for Printer<'_> {
    fn update(&mut self, update: &Update) -> anyhow::Result<()> {
        let event = &update.event;
        if update.is_final() && event.change != Change::State(State::Done) {
            let error = update.row.as_ref().and_then(|row| row.error.as_deref());
            let reason = error.map(|error| format!(": {error}")).unwrap_or_default();
            let lost = format!("fractal {} {}{reason}", event.id, word(event.change));
            self.lost.push(lost);
        }
        self.out.line(&line(event, self.json)?)?;
        self.out.flush()
    }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::State(state) => state.name(),
        Change::Deleted(_) => "deleted",
        Change::Stop(_) => "stop",
    }
}

fn line(event: &Event, json: bool) -> anyhow::Result<String> {
    if json {
        return Ok(serde_json::to_string(event)?);
    }
    let line = format!("{} {}", event.id, word(event.change));
    Ok(match event.change {
        Change::State(State::Rendering) => format!("{line} {:.0} %", event.progress * 100.0),
        _ => line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use faafo_model::Uuid;

    #[test]
    fn an_event_is_one_line() {
        let id = Uuid::nil();
        let rendering = Event::state(id, State::Rendering, 0.426);
        assert_eq!(
            line(&rendering, false).unwrap(),
            format!("{id} rendering 43 %")
        );
        assert_eq!(
            line(&Event::deleted(id), false).unwrap(),
            format!("{id} deleted")
        );
        assert!(
            line(&rendering, true)
                .unwrap()
                .contains(r#""change":"rendering""#)
        );
    }
}
