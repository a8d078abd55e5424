//! What lies in the folder, one of its 256 subfolders at a time.

use super::blocking;
use crate::{Error, Listed};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All blobs; what else lies there is passed over.
pub(super) fn blobs(folder: Arc<PathBuf>) -> BoxStream<'static, Result<Listed, Error>> {
    stream::iter(0..=u8::MAX)
        .then(move |first| {
            let folder = Arc::clone(&folder);
            async move {
                let page = blocking("list", move || page(&folder, &format!("{first:02x}"))).await?;
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
