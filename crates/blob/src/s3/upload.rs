//! Uploads: one `PUT`, or a multipart upload under a temporary name that the server then copies.

use super::client::Client;
use super::multipart::{Multipart, Source};
use super::plan::{self, COPIED_AT_ONCE};
use crate::Error;
use crate::parts::{Part, Target};
use async_trait::async_trait;
use bytes::Bytes;
use faafo_model::{BlobKey, BlobRef};
use reqwest::Method;
use tokio_util::sync::CancellationToken;

#[async_trait]
impl Target for Client {
    type Session = Multipart;

    async fn put(&self, key: &BlobKey, bytes: Bytes) -> Result<(), Error> {
        let put = || {
            self.call(Method::PUT, Some(&key.to_string()), &[])
                .body(bytes.clone())
        };
        self.ask_in_bucket("store", put).await.map(drop)
    }

    async fn begin(&self) -> Result<Multipart, Error> {
        self.begin_at(format!("tmp/{}", uuid::Uuid::new_v4().simple()))
            .await
    }

    async fn part(&self, upload: &Multipart, number: usize, bytes: Bytes) -> Result<Part, Error> {
        let size = bytes.len();
        let call = self.call_for_part(upload, number).body(bytes);
        let response = self.ask("store a part", call).await?;
        let etag = response.headers().get("etag");
        let etag = etag.and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        Ok(Part {
            etag: etag.to_owned(),
            size,
        })
    }

    async fn complete(
        &self,
        upload: &Multipart,
        parts: Vec<Part>,
        blob: &BlobRef,
    ) -> Result<(), Error> {
        let stored = async {
            self.join(upload, &parts, blob.size).await?;
            self.copy(&upload.object, &blob.key.to_string(), blob.size)
                .await
        }
        .await;
        self.abort(upload).await;
        stored
    }

    async fn abort(&self, upload: &Multipart) {
        self.abandon(upload).await;
        // What stays is for `remove_leftovers`.
        let _ = self.delete(&upload.object).await;
    }
}

impl Client {
    /// Lets the server copy an object of `size` bytes.
    async fn copy(&self, from: &str, to: &str, size: u64) -> Result<(), Error> {
        if size <= COPIED_AT_ONCE {
            let call = self
                .call(Method::PUT, Some(to), &[])
                .header("x-amz-copy-source", self.source(from));
            return self.ask_for_text("copy", call).await.map(drop);
        }
        let ranges = plan::cut(0..size);
        let sources = ranges.map(|range| Source::Object(from.to_owned(), range));
        let never = CancellationToken::new();
        self.assemble(to, size, sources.collect(), &never).await
    }
}
