//! `faafo create`: asks for fractals.

pub mod draw;
pub mod dry_run;

use crate::args::CreateArgs;
use crate::client::{Client, ClientError, follow};
use crate::commands::progress::Progress;
use crate::output::Output;
use draw::{Ranges, Request};
use faafo_model::Uuid;
use serde::de::IgnoredAny;
use std::time::Duration;

/// How often a request is sent whose answer got lost.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Asks for fractals, prints their names, and waits for them if asked to.
pub async fn run(client: &Client, args: &CreateArgs, out: &mut Output) -> anyhow::Result<()> {
    let requests = Ranges::new(args)?.draw_all();
    let total = requests.len();
    tracing::info!("generating {total} task(s)");
    let mut ids = Vec::with_capacity(total);
    for request in &requests {
        let row = match submit(client, request).await {
            Err(error) if !ids.is_empty() => {
                let done = format!("created only {} of {total} fractals", ids.len());
                return Err(anyhow::Error::new(error).context(done));
            }
            row => row?,
        };
        ids.push(request.uuid);
        // The rest is asked for even if nobody reads any more.
        if !args.json {
            out.line_if_read(&request.uuid.to_string())?;
        } else if !args.wait {
            out.line_if_read(&json_line(client, request.uuid, row).await?)?;
        }
    }
    if !args.wait {
        return Ok(());
    }
    wait(client, &ids, args.json, out).await
}

/// Waits for all, printing rows when they are final if JSON is asked for.
async fn wait(client: &Client, ids: &[Uuid], json: bool, out: &mut Output) -> anyhow::Result<()> {
    let mut progress = Progress::new(ids.len(), |row| match json {
        true => out.line_if_read(&serde_json::to_string(row)?),
        false => Ok(()),
    });
    follow(client, ids, &mut progress).await?;
    progress.finish()
}

/// Sends a request until it is known to be accepted or refused. The name in it makes sending it twice harmless.
/// Returns the row as JSON, unless its answer got lost.
async fn submit(client: &Client, request: &Request) -> Result<Option<Vec<u8>>, ClientError> {
    let body = serde_json::to_vec(request).unwrap_or_default();
    tracing::debug!("created task {}", String::from_utf8_lossy(&body));
    let mut pause = FIRST_PAUSE;
    for attempt in 1.. {
        match client.create(body.clone()).await {
            Ok(row) => return Ok(Some(row)),
            // The answer to an earlier try got lost.
            Err(error) if attempt > 1 && error.is_duplicate() => return Ok(None),
            Err(error) if attempt < TRIES && is_worth_a_retry(&error, attempt) => {
                tracing::warn!("{error}; trying again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// A service that broke off may come back. One that was never there, or refuses, is better told of at once.
fn is_worth_a_retry(error: &ClientError, attempt: u32) -> bool {
    match error {
        ClientError::Broken { .. } => true,
        _ => attempt > 1 && error.is_transient(),
    }
}

async fn json_line(client: &Client, id: Uuid, row: Option<Vec<u8>>) -> anyhow::Result<String> {
    let sent = row.filter(|row| serde_json::from_slice::<IgnoredAny>(row).is_ok());
    match sent.map(String::from_utf8) {
        Some(Ok(text)) if !text.contains('\n') => Ok(text),
        _ => Ok(serde_json::to_string(&client.fractal(id).await?)?),
    }
}
