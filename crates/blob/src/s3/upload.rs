//! Uploads: one `PUT`, or a multipart upload under a temporary name that the server then copies.

use super::client::Client;
use super::{sign, xml};
use crate::parts::{Part, Target};
use crate::{Error, ErrorKind};
use async_trait::async_trait;
use bytes::Bytes;
use faafo_model::{BlobKey, BlobRef};
use reqwest::Method;

/// What the server copies in one go; larger objects are copied in parts, each of which ends well within the time limit.
const COPIED_AT_ONCE: u64 = 64 << 20;

/// A multipart upload.
#[derive(Clone)]
pub(super) struct Multipart {
    object: String,
    id: String,
}

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
        let number = number.to_string();
        let query = [("partNumber", number.as_str()), ("uploadId", &upload.id)];
        let call = self
            .call(Method::PUT, Some(&upload.object), &query)
            .body(bytes);
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
        let query = [("uploadId", upload.id.as_str())];
        let call = self.call(Method::DELETE, Some(&upload.object), &query);
        // What stays is for `remove_leftovers`. A completed upload is no longer there.
        let _ = self.ask("abort", call).await;
        let _ = self.delete(&upload.object).await;
    }
}

impl Client {
    async fn begin_at(&self, object: String) -> Result<Multipart, Error> {
        let post = || self.call(Method::POST, Some(&object), &[("uploads", "")]);
        let answer = self.ask_in_bucket("begin an upload", post).await?;
        let id = found(xml::text(&answer, "UploadId"))?;
        Ok(Multipart { object, id })
    }

    /// Completes a multipart upload of `size` bytes.
    async fn join(&self, upload: &Multipart, parts: &[Part], size: u64) -> Result<(), Error> {
        let list: String = parts
            .iter()
            .enumerate()
            .map(|(index, part)| {
                let (number, etag) = (index + 1, &part.etag);
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
            })
            .collect();
        let body = format!(
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{list}\
             </CompleteMultipartUpload>"
        );
        let query = [("uploadId", upload.id.as_str())];
        let call = self
            .call(Method::POST, Some(&upload.object), &query)
            .body(Bytes::from(body));
        match self.ask_for_text("complete an upload", call).await {
            Ok(_) => Ok(()),
            // The answer to an earlier try may have got lost.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                match self.size(&upload.object).await? {
                    Some(there) if there == size => Ok(()),
                    _ => Err(Error::new(ErrorKind::Unavailable, "S3: the upload is gone")),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Lets the server copy an object of `size` bytes.
    async fn copy(&self, from: &str, to: &str, size: u64) -> Result<(), Error> {
        let source = sign::encode(&format!("/{}/{}{from}", self.bucket, self.prefix));
        let source = source.replace("%2F", "/");
        if size <= COPIED_AT_ONCE {
            let call = self
                .call(Method::PUT, Some(to), &[])
                .header("x-amz-copy-source", &source);
            return self.ask_for_text("copy", call).await.map(drop);
        }
        let upload = self.begin_at(to.to_owned()).await?;
        let copied = self.copy_parts(&source, &upload, size).await;
        if copied.is_err() {
            let query = [("uploadId", upload.id.as_str())];
            let call = self.call(Method::DELETE, Some(to), &query);
            let _ = self.ask("abort", call).await;
        }
        copied
    }

    async fn copy_parts(&self, source: &str, upload: &Multipart, size: u64) -> Result<(), Error> {
        let mut parts = Vec::new();
        let mut start = 0;
        while start < size {
            let end = size.min(start + COPIED_AT_ONCE);
            let number = (parts.len() + 1).to_string();
            let query = [("partNumber", number.as_str()), ("uploadId", &upload.id)];
            let call = self
                .call(Method::PUT, Some(&upload.object), &query)
                .header("x-amz-copy-source", source)
                .header(
                    "x-amz-copy-source-range",
                    format!("bytes={start}-{}", end - 1),
                );
            let answer = self.ask_for_text("copy a part", call).await?;
            parts.push(Part {
                etag: found(xml::text(&answer, "ETag"))?,
                size: 0,
            });
            start = end;
        }
        self.join(upload, &parts, size).await
    }
}

fn found(text: Option<String>) -> Result<String, Error> {
    text.ok_or_else(|| Error::new(ErrorKind::Unavailable, "S3: an answer lacks what was asked"))
}
