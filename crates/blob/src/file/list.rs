//! What lies in the folder, one of its 256 subfolders at a time, and in packs under names that begin like that.

use super::{Packs, blocking};
use crate::{Error, Listed};
use faafo_model::BlobKey;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All blobs; what else lies there is passed over.
pub(super) fn blobs(
    folder: Arc<PathBuf>,
    packs: Arc<Packs>,
) -> BoxStream<'static, Result<Listed, Error>> {
    stream::iter(0..=u8::MAX)
        .then(move |first| {
            let (folder, packs) = (Arc::clone(&folder), Arc::clone(&packs));
            async move {
                let page = blocking("list", move || {
                    packs.refresh()?;
                    let mut page = page(&folder, &format!("{first:02x}"))?;
                    let files: HashSet<BlobKey> = page.iter().map(|blob| blob.key).collect();
                    let packed = packs.page(first).into_iter();
                    page.extend(packed.filter(|blob| !files.contains(&blob.key)));
                    Ok(page)
                })
                .await?;
                Ok::<_, Error>(stream::iter(page.into_iter().map(Ok::<_, Error>)))
            }
        })
        .try_flatten()
        .boxed()
}

fn page(folder: &Path, first: &str) -> io::Result<Vec<Listed>> {
    let mut page = Vec::new();
    let entries = match std::fs::read_dir(folder.join(first)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(page),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        let rest = entry.file_name();
        let Ok(key) = format!("{first}{}", rest.to_string_lossy()).parse() else {
            continue;
        };
        let metadata = match entry.metadata() {
            // Deleted meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        page.push(Listed {
            key,
            size: metadata.len(),
            age: metadata.modified()?.elapsed().unwrap_or_default(),
        });
    }
    Ok(page)
}
