//! Uploads: one `PUT`, or segments and a manifest that makes them one object.

use super::client::{Ask, Client};
use super::list;
use crate::digest::digest;
use crate::parts::{Part, SMALL, Target};
use crate::{Error, ErrorKind};
use async_trait::async_trait;
use bytes::Bytes;
use faafo_http::hex;
use faafo_model::{BlobKey, BlobRef};
use md5::{Digest, Md5};
use reqwest::Method;
use serde_json::json;

/// Segments of the first size; behind them follow larger ones, because a manifest holds no more than 1000.
const SMALL_SEGMENTS: usize = 500;
const LARGE_SEGMENT: usize = 64 << 20;

#[async_trait]
impl Target for Client {
    /// The folder of an upload's segments.
    type Session = String;

    fn part_size(&self, number: usize) -> usize {
        if number <= SMALL_SEGMENTS {
            SMALL
        } else {
            LARGE_SEGMENT
        }
    }

    async fn put(&self, key: &BlobKey, bytes: Bytes) -> Result<(), Error> {
        self.put_object(&key.to_string(), bytes).await.map(drop)
    }

    async fn begin(&self) -> Result<String, Error> {
        Ok(format!("segments/{}/", uuid::Uuid::new_v4().simple()))
    }

    async fn part(&self, folder: &String, number: usize, bytes: Bytes) -> Result<Part, Error> {
        let size = bytes.len();
        let etag = self.put_object(&segment(folder, number), bytes).await?;
        Ok(Part { etag, size })
    }

    async fn complete(
        &self,
        folder: &String,
        parts: Vec<Part>,
        blob: &BlobRef,
    ) -> Result<(), Error> {
        let object = blob.key.to_string();
        let manifest: Vec<_> = parts
            .iter()
            .enumerate()
            .map(|(index, part)| {
                let segment = format!("{}{}", self.prefix, segment(folder, index + 1));
                json!({
                    "path": format!("/{}/{segment}", self.container),
                    "etag": part.etag,
                    "size_bytes": part.size,
                })
            })
            .collect();
        let mut ask = Ask::new(Method::PUT, Some(&object));
        ask.query = &[("multipart-manifest", "put"), ("heartbeat", "on")];
        // Another manifest must not be replaced: its segments would be forgotten.
        ask.headers = &[("if-none-match", "*"), ("accept", "application/json")];
        ask.body = Bytes::from(serde_json::Value::from(manifest).to_string());
        let Err(error) = self.ask_for_outcome("join the segments", &ask).await else {
            return Ok(());
        };
        // Our manifest may be there: the answer to an earlier try got lost.
        if list::is_used(self, &object, folder).await? {
            return Ok(());
        }
        // Or somebody else's of the same content. Ours can't follow any more, so its segments may go.
        let there = self.head(&object).await?.map(|head| head.size) == Some(blob.size);
        // Of any other error nobody knows whether the manifest is still on its way: then its segments must stay.
        if there || matches!(error.kind(), ErrorKind::Full | ErrorKind::Config) {
            self.abort(folder).await;
        }
        if there { Ok(()) } else { Err(error) }
    }

    async fn abort(&self, folder: &String) {
        // What stays is for `remove_leftovers`.
        if let Err(error) = list::remove_folder(self, folder).await {
            tracing::debug!(%error, "segments stay behind");
        }
    }
}

impl Client {
    /// Stores an object, whose arrival the server checks by its MD5, and returns that.
    async fn put_object(&self, object: &str, bytes: Bytes) -> Result<String, Error> {
        let etag = digest(&bytes, |bytes| hex(&Md5::digest(bytes))).await?;
        let headers = [
            ("etag", etag.as_str()),
            ("content-type", "application/octet-stream"),
        ];
        let mut ask = Ask::new(Method::PUT, Some(object));
        ask.headers = &headers;
        ask.body = bytes;
        self.ask_in_container("store", &ask).await?;
        Ok(etag)
    }
}

/// Numbered so that they list in order.
fn segment(folder: &str, number: usize) -> String {
    format!("{folder}{number:05}")
}
