//! What lies in the container, page by page.

use super::client::{Ask, Client};
use crate::{Error, ErrorKind, Listed};
use futures_util::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use reqwest::Method;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// An entry of a listing; folders have no name.
#[derive(Deserialize)]
struct Entry {
    name: Option<String>,
    subdir: Option<String>,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    last_modified: String,
    /// Only manifests have one.
    slo_etag: Option<String>,
}

/// A segment in a manifest; `name` is `/<container>/<object>`.
#[derive(Deserialize)]
struct Segment {
    name: String,
}

/// All blobs; what else lies there is passed over.
pub(super) fn blobs(client: Arc<Client>) -> BoxStream<'static, Result<Listed, Error>> {
    let prefix = client.prefix.clone();
    entries(client, String::new(), "/")
        .try_filter_map(move |entry| {
            let name = entry.name.as_deref();
            let key = name.and_then(|name| name.strip_prefix(&prefix)?.parse().ok());
            std::future::ready(Ok(key.map(|key| Listed {
                key,
                size: entry.bytes,
                age: age(&entry.last_modified),
            })))
        })
        .boxed()
}

/// Removes segments that no manifest names, if the youngest in their folder is older.
pub(super) async fn remove_leftovers(
    client: &Arc<Client>,
    older_than: Duration,
) -> Result<u64, Error> {
    let mut youngest: HashMap<String, Duration> = HashMap::new();
    let mut segments = std::pin::pin!(entries(Arc::clone(client), "segments/".to_owned(), ""));
    while let Some(entry) = segments.try_next().await? {
        if let Some(folder) = entry.name.as_deref().and_then(|name| folder(client, name)) {
            let age = age(&entry.last_modified);
            let known = youngest.entry(folder).or_insert(age);
            *known = age.min(*known);
        }
    }
    youngest.retain(|_, age| *age >= older_than);
    if youngest.is_empty() {
        return Ok(0);
    }
    // Only now: a manifest made meanwhile is seen.
    let mut objects = std::pin::pin!(entries(Arc::clone(client), String::new(), "/"));
    while let Some(entry) = objects.try_next().await? {
        let (Some(name), Some(_)) = (entry.name, entry.slo_etag) else {
            continue;
        };
        if let Some(object) = name.strip_prefix(&client.prefix) {
            for folder in folders_of(client, object).await? {
                youngest.remove(&folder);
            }
        }
    }
    let mut removed = 0;
    for folder in youngest.keys() {
        remove_folder(client, folder).await?;
        removed += 1;
    }
    Ok(removed)
}

/// Whether the manifest `object` names segments in `folder`.
pub(super) async fn is_used(client: &Client, object: &str, folder: &str) -> Result<bool, Error> {
    match folders_of(client, object).await {
        Ok(folders) => Ok(folders.iter().any(|used| used == folder)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Deletes all segments in a folder.
pub(super) async fn remove_folder(client: &Client, folder: &str) -> Result<(), Error> {
    loop {
        let page = page(client, folder, "", "").await?;
        let before = page.len();
        let names = page.into_iter().filter_map(|entry| entry.name);
        let objects: Vec<String> = names
            .filter_map(|name| Some(name.strip_prefix(&client.prefix)?.to_owned()))
            .collect();
        for object in &objects {
            let ask = Ask::new(Method::DELETE, Some(object));
            match client.ask("delete a segment", &ask).await {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if before < PAGE {
            return Ok(());
        }
    }
}

/// The folders of a manifest's segments; none for an object without segments.
async fn folders_of(client: &Client, object: &str) -> Result<Vec<String>, Error> {
    if !client
        .head(object)
        .await?
        .is_some_and(|head| head.segmented)
    {
        return Ok(Vec::new());
    }
    let mut ask = Ask::new(Method::GET, Some(object));
    ask.query = &[("multipart-manifest", "get")];
    let response = client.ask("read a manifest", &ask).await?;
    let text = client.http.text(response).await?;
    let segments: Vec<Segment> = serde_json::from_str(&text).map_err(unreadable)?;
    let container = format!("/{}/", client.container);
    let mut folders: Vec<String> = segments
        .iter()
        .filter_map(|segment| folder(client, segment.name.strip_prefix(&container)?))
        .collect();
    folders.dedup();
    Ok(folders)
}

/// `segments/<upload>/` of a segment's full name.
fn folder(client: &Client, name: &str) -> Option<String> {
    let name = name.strip_prefix(&client.prefix)?;
    let end = name.rfind('/')?;
    name.starts_with("segments/")
        .then(|| name[..=end].to_owned())
}

/// Entries of a listing at a time.
const PAGE: usize = 1000;

/// What lies in a folder; with a delimiter, without what lies in folders below it.
fn entries(
    client: Arc<Client>,
    folder: String,
    delimiter: &'static str,
) -> impl Stream<Item = Result<Entry, Error>> + Send + 'static {
    let pages = stream::try_unfold(Some(String::new()), move |marker| {
        let (client, folder) = (Arc::clone(&client), folder.clone());
        async move {
            let Some(marker) = marker else {
                return Ok::<_, Error>(None);
            };
            let page = page(&client, &folder, &marker, delimiter).await?;
            let next = page
                .last()
                .and_then(|entry| entry.name.clone().or_else(|| entry.subdir.clone()));
            let entries = stream::iter(page.into_iter().map(Ok::<_, Error>));
            Ok(Some((entries, next)))
        }
    });
    pages.try_flatten()
}

async fn page(
    client: &Client,
    folder: &str,
    marker: &str,
    delimiter: &str,
) -> Result<Vec<Entry>, Error> {
    let (prefix, limit) = (format!("{}{folder}", client.prefix), PAGE.to_string());
    let query = [
        ("format", "json"),
        ("limit", &limit),
        ("prefix", &prefix),
        ("marker", marker),
        ("delimiter", delimiter),
    ];
    let mut ask = Ask::new(Method::GET, None);
    ask.query = &query;
    let response = match client.ask("list", &ask).await {
        // No container, no blobs.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let text = client.http.text(response).await?;
    serde_json::from_str(&text).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> Error {
    let message = format!("Swift: a list that can't be read: {error}");
    Error::new(ErrorKind::Unavailable, message)
}

/// How long ago that was. What can't be read counts as new, so that nothing is removed because of it.
fn age(time: &str) -> Duration {
    let time = humantime::parse_rfc3339_weak(time).ok();
    time.and_then(|time| SystemTime::now().duration_since(time).ok())
        .unwrap_or_default()
}
