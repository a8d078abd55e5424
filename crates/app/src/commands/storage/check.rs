//! `faafo storage check`: is every picture there and whole, and is there nothing else?

use super::{AT_ONCE, required_store};
use crate::args::CheckArgs;
use crate::config::Config;
use crate::output::Output;
use crate::service::storage_in;
use anyhow::{Context, bail};
use faafo_blob::{BlobStore, Error, ErrorKind, Hasher, Listed};
use faafo_model::BlobKey;
use faafo_store::{Reference, Role, Store};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::time::Duration;

/// Fractals, and stored objects, looked at together.
const PAGE: u32 = 500;

/// What was found.
#[derive(Default)]
struct Found {
    fractals: u64,
    blobs: u64,
    missing: u64,
    damaged: u64,
    orphans: u64,
}

/// What is wrong with a blob that a row refers to.
enum Fault {
    Missing,
    Damaged(String),
}

/// Prints a line for each thing that is wrong, and a summary.
///
/// # Errors
/// When something is wrong, other than orphans that are now being removed.
pub async fn run(args: &CheckArgs, config: &Config, out: &mut Output) -> anyhow::Result<()> {
    let store = required_store(config).await?;
    let url = match &config.storage_url {
        Some(url) => url.clone(),
        None => storage_in(&config.data)?,
    };
    let blobs = faafo_blob::open_beside(&url, Some(&store)).await?;
    let mut found = Found::default();
    check_rows(&store, &*blobs, args.checksums, &mut found, out).await?;
    let counted = check_counts(&store, out).await?;
    let orphans = check_blobs(&store, &*blobs, args, &mut found, out).await;
    orphans.context("can't look for pictures without a fractal")?;
    let Found {
        fractals,
        blobs,
        missing,
        damaged,
        orphans,
    } = found;
    out.line(&format!(
        "{fractals} fractals, {blobs} blobs: {missing} missing, {damaged} damaged, {orphans} orphans"
    ))?;
    out.flush()?;
    if !counted {
        bail!("the totals are not what the rows are");
    }
    if missing + damaged > 0 {
        bail!(
            "the store does not have what the database says: {missing} missing, {damaged} damaged"
        );
    }
    if orphans > 0 && !args.remove_orphans {
        bail!(
            "{orphans} blobs belong to no fractal; --remove-orphans lets the tracker remove them"
        );
    }
    Ok(())
}

/// Whether the totals by state are what counting the rows yields.
async fn check_counts(store: &Store, out: &mut Output) -> anyhow::Result<bool> {
    let (kept, found) = store.recount().await?;
    if kept != found {
        out.line(&format!("miscounted: totals {kept:?}, rows {found:?}"))?;
    }
    Ok(kept == found)
}

/// Whether everything that rows refer to is there.
async fn check_rows(
    store: &Store,
    blobs: &dyn BlobStore,
    checksums: bool,
    found: &mut Found,
    out: &mut Output,
) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = store.references(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.clone());
        let is_picture = |reference: &&Reference| reference.role == Role::PICTURE.name();
        found.fractals += page.iter().filter(is_picture).count() as u64;
        let mut faults = stream::iter(page)
            .map(|reference| async move {
                let fault = fault(blobs, &reference, checksums).await;
                fault.map(|fault| (reference, fault))
            })
            .buffered(AT_ONCE);
        while let Some((reference, fault)) = faults.try_next().await? {
            // Deleted, or rendered anew, since the page was read: no fault.
            let (word, detail) = match fault {
                None => continue,
                Some(_) if !store.is_referred_to(&reference).await? => continue,
                Some(Fault::Missing) => ("missing", String::new()),
                Some(Fault::Damaged(how)) => ("damaged", format!(" {how}")),
            };
            match word {
                "missing" => found.missing += 1,
                _ => found.damaged += 1,
            }
            out.line(&format!(
                "{word} {} {} {}{detail}",
                reference.key, reference.owner_kind, reference.owner
            ))?;
        }
    }
}

async fn fault(
    blobs: &dyn BlobStore,
    reference: &Reference,
    checksums: bool,
) -> Result<Option<Fault>, Error> {
    let Some(size) = blobs.size(&reference.key).await? else {
        return Ok(Some(Fault::Missing));
    };
    if let Some(expected) = reference.size
        && expected != size
    {
        let how = format!("has {size} bytes instead of {expected}");
        return Ok(Some(Fault::Damaged(how)));
    }
    if !checksums {
        return Ok(None);
    }
    match content(blobs, &reference.key, size).await {
        Ok(key) if key == reference.key => Ok(None),
        Ok(_) => Ok(Some(Fault::Damaged("has another SHA-256".to_owned()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Some(Fault::Missing)),
        Err(error) => Err(error),
    }
}

/// The SHA-256 of what is stored under that name.
async fn content(blobs: &dyn BlobStore, key: &BlobKey, size: u64) -> Result<BlobKey, Error> {
    let mut hasher = Hasher::default();
    let mut pieces = blobs.read(key, 0..size).await?;
    while let Some(piece) = pieces.try_next().await? {
        hasher.update(&piece);
    }
    Ok(hasher.finish().key)
}

/// Whether rows refer to everything that is there.
async fn check_blobs(
    store: &Store,
    blobs: &dyn BlobStore,
    args: &CheckArgs,
    found: &mut Found,
    out: &mut Output,
) -> anyhow::Result<()> {
    let mut pages = blobs.list().chunks(PAGE as usize);
    while let Some(page) = pages.next().await {
        let page: Vec<Listed> = page.into_iter().collect::<Result<_, _>>()?;
        found.blobs += page.len() as u64;
        let settled =
            |blob: &&Listed| blob.age >= args.older_than || args.older_than == Duration::ZERO;
        let old: Vec<&Listed> = page.iter().filter(settled).collect();
        let keys: Vec<BlobKey> = old.iter().map(|blob| blob.key).collect();
        let referenced = store.referenced(&keys).await?;
        let orphans: Vec<_> = old
            .into_iter()
            .filter(|blob| !referenced.contains(&blob.key))
            .collect();
        for blob in &orphans {
            out.line(&format!("orphan {} {} bytes", blob.key, blob.size))?;
        }
        found.orphans += orphans.len() as u64;
        if args.remove_orphans {
            let keys: Vec<BlobKey> = orphans.iter().map(|blob| blob.key).collect();
            store.suspect(&keys).await?;
        }
    }
    Ok(())
}
