//! `faafo storage migrate`: every blob from one store to another, or every row from one database to another. What is
//! there already is not copied again, so it can be stopped and repeated; for blobs also once more after the service has
//! changed over.

use super::{AT_ONCE, store};
use crate::args::MigrateArgs;
use crate::config::Config;
use crate::output::{self, Output};
use anyhow::bail;
use faafo_blob::{BlobStore, Error, ErrorKind, Listed};
use faafo_store::Store;
use futures_util::stream::TryStreamExt;
use std::time::{Duration, Instant};

/// How often people are told how far it is.
const NEWS: Duration = Duration::from_secs(5);

/// How one blob ended.
enum Ended {
    Copied(u64),
    /// It is there already.
    Kept,
    /// It was deleted meanwhile.
    Gone,
    /// Its content is not what its name says; nothing was copied.
    Damaged,
}

/// Copies, and says how much.
///
/// # Errors
/// When a store fails, or has a blob that is damaged.
pub async fn run(args: &MigrateArgs, config: &Config, out: &mut Output) -> anyhow::Result<()> {
    match [&args.from, &args.to].map(|url| is_database(url)) {
        [true, true] => return rows(args, out).await,
        [false, false] => {}
        _ => bail!("--from and --to must both be stores of pictures or both be databases"),
    }
    let database = if [&args.from, &args.to].iter().any(|url| *url == "db:") {
        Some(super::required_store(config).await?)
    } else {
        store(config).await?
    };
    let from = faafo_blob::open_beside(&args.from, database.as_ref()).await?;
    let to = faafo_blob::open_beside(&args.to, database.as_ref()).await?;
    to.ping().await?;
    let (from, to) = (&*from, &*to);
    let mut copying = from
        .list()
        .map_ok(|blob| async move { copy(from, to, &blob).await.map(|ended| (blob, ended)) })
        .try_buffer_unordered(AT_ONCE);
    let (mut copied, mut bytes, mut kept, mut damaged) = (0u64, 0u64, 0u64, 0u64);
    let mut told = Instant::now();
    while let Some((blob, ended)) = copying.try_next().await? {
        match ended {
            Ended::Copied(size) => {
                copied += 1;
                bytes += size;
            }
            Ended::Kept => kept += 1,
            Ended::Gone => {}
            Ended::Damaged => {
                damaged += 1;
                out.line_if_read(&format!("damaged {}", blob.key))?;
            }
        }
        if told.elapsed() >= NEWS {
            told = Instant::now();
            output::note(&format!(
                "{copied} copied, {bytes} bytes; {kept} were there"
            ));
        }
    }
    out.line(&format!(
        "{copied} copied, {bytes} bytes; {kept} were there; {damaged} damaged"
    ))?;
    out.flush()?;
    if damaged > 0 {
        bail!("{damaged} blobs are not what their names say, and were not copied");
    }
    Ok(())
}

/// Whether the URL names a database itself; `db:` names the pictures in one.
fn is_database(url: &str) -> bool {
    let scheme = url.split(':').next().unwrap_or_default();
    ["sqlite", "postgres", "postgresql", "mysql", "mariadb"].contains(&scheme)
}

async fn rows(args: &MigrateArgs, out: &mut Output) -> anyhow::Result<()> {
    let from = Store::open(&args.from).await?;
    let to = Store::open(&args.to).await?;
    let mut told = Instant::now();
    let copied = from.copy_rows(&to, |copied| {
        if told.elapsed() >= NEWS {
            told = Instant::now();
            output::note(&format!(
                "{} rows copied; {} were there",
                copied.copied, copied.kept
            ));
        }
    });
    let copied = copied.await?;
    out.line(&format!(
        "{} rows copied; {} were there",
        copied.copied, copied.kept
    ))?;
    out.flush()?;
    from.close().await;
    to.close().await;
    Ok(())
}

async fn copy(from: &dyn BlobStore, to: &dyn BlobStore, blob: &Listed) -> Result<Ended, Error> {
    if to.size(&blob.key).await? == Some(blob.size) {
        return Ok(Ended::Kept);
    }
    let mut pieces = match from.read(&blob.key, 0..blob.size).await {
        Ok(pieces) => pieces,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ended::Gone),
        Err(error) => return Err(error),
    };
    let mut hasher = faafo_blob::Hasher::default();
    let mut upload = to.begin().await?;
    while let Some(piece) = pieces.try_next().await? {
        hasher.update(&piece);
        upload.write(piece).await?;
    }
    let read = hasher.finish();
    if read.key != blob.key {
        // Dropped unfinished, the upload leaves nothing.
        return Ok(Ended::Damaged);
    }
    upload.finish().await?;
    Ok(Ended::Copied(read.size))
}
