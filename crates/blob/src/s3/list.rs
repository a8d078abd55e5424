//! What lies in the bucket, page by page.

use super::client::Client;
use super::xml;
use crate::{Error, ErrorKind, Listed};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use reqwest::Method;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// All blobs; what else lies there is passed over.
pub(super) fn blobs(client: Arc<Client>) -> BoxStream<'static, Result<Listed, Error>> {
    objects(client, String::new())
        .try_filter_map(|object| {
            let blob = object.name.parse().ok().map(|key| Listed {
                key,
                size: object.size,
                age: object.age,
            });
            std::future::ready(Ok(blob))
        })
        .boxed()
}

/// Aborts uploads and removes temporary objects that are older.
pub(super) async fn remove_leftovers(
    client: &Arc<Client>,
    older_than: Duration,
) -> Result<u64, Error> {
    let answer = uploads(client).await?;
    let mut removed = 0;
    for upload in xml::elements(&answer, "Upload") {
        let (key, id) = (xml::text(upload, "Key"), xml::text(upload, "UploadId"));
        let (Some(key), Some(id)) = (key, id) else {
            continue;
        };
        let Some(object) = key.strip_prefix(&client.prefix) else {
            continue;
        };
        if age(xml::text(upload, "Initiated")) >= older_than {
            let query = [("uploadId", id.as_str())];
            let call = client.call(Method::DELETE, Some(object), &query);
            match client.ask("abort an upload", call).await {
                Ok(_) => removed += 1,
                // It has ended meanwhile, or the list was not up to date.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    let mut temporary = std::pin::pin!(objects(Arc::clone(client), "tmp/".to_owned()));
    while let Some(object) = temporary.try_next().await? {
        if object.age >= older_than {
            client.delete(&format!("tmp/{}", object.name)).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// The unfinished uploads. One page: whoever has more than a thousand leftovers calls again.
async fn uploads(client: &Client) -> Result<String, Error> {
    let query = [("uploads", ""), ("prefix", client.prefix.as_str())];
    let call = client.call(Method::GET, None, &query);
    match client.try_to_ask(call).await? {
        Ok(response) => client.http.text(response).await.map_err(Error::from),
        // No bucket, or a server that does not know.
        Err(refused) if matches!(refused.status.as_u16(), 404 | 501) => Ok(String::new()),
        Err(refused) => Err(refused.error("list uploads")),
    }
}

struct Object {
    /// Without the prefix and the folder.
    name: String,
    size: u64,
    age: Duration,
}

/// The objects in a folder, without those in folders below it.
fn objects(
    client: Arc<Client>,
    folder: String,
) -> impl futures_util::Stream<Item = Result<Object, Error>> + Send + 'static {
    let pages = stream::try_unfold(Some(String::new()), move |next| {
        let (client, folder) = (Arc::clone(&client), folder.clone());
        async move {
            let Some(token) = next else {
                return Ok::<_, Error>(None);
            };
            let (objects, next) = page(&client, &folder, &token).await?;
            let objects = stream::iter(objects.into_iter().map(Ok::<_, Error>));
            Ok(Some((objects, next)))
        }
    });
    pages.try_flatten()
}

async fn page(
    client: &Client,
    folder: &str,
    token: &str,
) -> Result<(Vec<Object>, Option<String>), Error> {
    let prefix = format!("{}{folder}", client.prefix);
    let mut query = vec![
        ("list-type", "2"),
        ("delimiter", "/"),
        ("prefix", prefix.as_str()),
    ];
    if !token.is_empty() {
        query.push(("continuation-token", token));
    }
    let call = client.call(Method::GET, None, &query);
    let answer = match client.ask_for_text("list", call).await {
        // No bucket, no blobs.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), None)),
        other => other?,
    };
    let objects = xml::elements(&answer, "Contents").filter_map(|object| {
        let key = xml::text(object, "Key")?;
        Some(Object {
            name: key.strip_prefix(&prefix)?.to_owned(),
            size: xml::text(object, "Size")?.parse().ok()?,
            age: age(xml::text(object, "LastModified")),
        })
    });
    let more = xml::text(&answer, "IsTruncated").is_some_and(|text| text == "true");
    let next = xml::text(&answer, "NextContinuationToken").filter(|_| more);
    Ok((objects.collect(), next))
}

/// How long ago that was. What can't be read counts as new, so that nothing is removed because of it.
fn age(time: Option<String>) -> Duration {
    let time = time.and_then(|time| humantime::parse_rfc3339_weak(&time).ok());
    time.and_then(|time| SystemTime::now().duration_since(time).ok())
        .unwrap_or_default()
}
