//! `faafo get`: downloads a picture, whole and checked or not at all.

mod sink;

use crate::args::GetArgs;
use crate::client::{Client, ClientError, follow};
use crate::commands::progress::Progress;
use crate::output::{self, Output};
use anyhow::bail;
use faafo_model::State;
use faafo_model::fractal::FractalJson;
use reqwest::{Response, StatusCode};
use sink::Sink;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often in a row a download may break off without bringing anything.
const FRUITLESS_TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Downloads the picture of a fractal and prints where it lies.
pub async fn run(client: &Client, args: &GetArgs, out: &mut Output) -> anyhow::Result<()> {
    let row = finished(client, args).await?;
    let path = args
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.{}", args.uuid, row.format.name())));
    if path == Path::new("-") {
        let mut sink = Sink::stdout();
        download(client, &row, &mut sink).await?;
        return sink.finish(row.checksum.as_deref());
    }
    let mut sink = Sink::file(&path)?;
    download(client, &row, &mut sink).await?;
    sink.finish(row.checksum.as_deref())?;
    out.line(&path.display().to_string())
}

/// The row of the fractal once it is done.
async fn finished(client: &Client, args: &GetArgs) -> anyhow::Result<FractalJson> {
    let id = args.uuid;
    let mut row = client.fractal(id).await?;
    if args.wait && !row.state.is_final() {
        let mut progress = Progress::new(1, |last: &FractalJson| {
            row = last.clone();
            Ok(())
        });
        follow(client, &[id], &mut progress).await?;
        progress.finish()?;
    }
    match row.state {
        State::Done => Ok(row),
        State::Failed => {
            let reason = row.error.map(|error| format!(": {error}"));
            bail!("fractal {id} failed{}", reason.unwrap_or_default())
        }
        State::Cancelled => bail!("fractal {id} was cancelled: there is no picture"),
        State::Queued | State::Rendering => bail!(
            "fractal {id} is {} ({:.0} %): there is no picture yet; --wait waits for it",
            row.state,
            row.progress * 100.0
        ),
    }
}

/// Downloads what the sink does not have yet, going on where it broke off.
async fn download(client: &Client, row: &FractalJson, sink: &mut Sink) -> anyhow::Result<()> {
    if row.size.is_some_and(|size| sink.written() > size) {
        sink.restart()?;
    }
    let mut fruitless = 0;
    let mut pause = FIRST_PAUSE;
    loop {
        if sink.written() > 0 && Some(sink.written()) == row.size {
            return Ok(());
        }
        let before = sink.written();
        let Err(error) = attempt(client, row, sink).await else {
            return Ok(());
        };
        if sink.written() > before {
            (fruitless, pause) = (0, FIRST_PAUSE);
        }
        fruitless += 1;
        let transient = error
            .downcast_ref::<ClientError>()
            .is_some_and(ClientError::is_transient);
        if !transient || fruitless >= FRUITLESS_TRIES {
            return Err(error);
        }
        output::note(&format!(
            "faafo: {error:#}; going on from byte {}",
            sink.written()
        ));
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

/// Makes one request and takes what it brings.
async fn attempt(client: &Client, row: &FractalJson, sink: &mut Sink) -> anyhow::Result<()> {
    let from = sink.written();
    let mut response = client
        .picture(row.uuid, from, row.checksum.as_deref())
        .await?;
    let mut skip = 0;
    match response.status() {
        StatusCode::PARTIAL_CONTENT => anyhow::ensure!(
            range_start(&response) == Some(from),
            "the server sent another part of the picture than was asked for"
        ),
        StatusCode::RANGE_NOT_SATISFIABLE => {
            // What lies here is no beginning of this picture, or all of it; the size told them apart before.
            sink.restart()?;
            response = client.picture(row.uuid, 0, None).await?;
        }
        _ if from > 0 => skip = sink.restart()?,
        _ => {}
    }
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| client.broken(error))? else {
            break;
        };
        let known = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
        skip -= known as u64;
        sink.write(&chunk[known..])?;
    }
    match row.size {
        Some(size) if sink.written() < size => Err(client.cut_short().into()),
        _ => Ok(()),
    }
}

/// The first byte of the part that the answer holds.
fn range_start(response: &Response) -> Option<u64> {
    let range = response.headers().get("content-range")?.to_str().ok()?;
    let (start, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    start.parse().ok()
}
