//! Objects in parts, which are sent or which the server copies.

use super::client::Client;
use super::xml;
use crate::parts::{Part, Target};
use crate::{Error, ErrorKind};
use bytes::Bytes;
use faafo_http::{Call, sign};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use reqwest::Method;
use std::ops::Range;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Parts that the server makes at the same time.
const AT_ONCE: usize = 4;

/// A multipart upload.
#[derive(Clone)]
pub(super) struct Multipart {
    pub(super) object: String,
    id: String,
}

/// Where the bytes of a part come from.
pub(super) enum Source {
    /// The server copies this range of the object of that name.
    Object(String, Range<u64>),
    /// They are sent; this yields them when it is their turn.
    Bytes(BoxFuture<'static, Result<Bytes, Error>>),
}

impl Client {
    /// Makes an object of `size` bytes from parts. On failure, or when `stop` is cancelled, nothing is left of it.
    pub(super) async fn assemble(
        &self,
        object: &str,
        size: u64,
        sources: Vec<Source>,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let upload = self.begin_at(object.to_owned()).await?;
        let made = async {
            let parts = self.parts_from(&upload, sources, stop).await?;
            self.join(&upload, &parts, size).await
        }
        .await;
        if made.is_err() {
            self.abandon(&upload).await;
        }
        made
    }

    /// All parts, in their order. After a failure none is begun, but those under way end: none may arrive later.
    async fn parts_from(
        &self,
        upload: &Multipart,
        sources: Vec<Source>,
        stop: &CancellationToken,
    ) -> Result<Vec<Part>, Error> {
        let number = sources.len();
        // One at a time is held in memory.
        let in_memory = &Mutex::new(());
        let parts: Vec<_> = stream::iter(sources.into_iter().enumerate())
            .take_until(stop.cancelled())
            .map(|(index, source)| async move {
                let part = self.part_from(upload, index + 1, source, in_memory).await;
                if part.is_err() {
                    stop.cancel();
                }
                part
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
        if parts.len() < number {
            return Err(Error::stopping());
        }
        Ok(parts)
    }

    async fn part_from(
        &self,
        upload: &Multipart,
        number: usize,
        source: Source,
        in_memory: &Mutex<()>,
    ) -> Result<Part, Error> {
        match source {
            Source::Object(name, range) => self.copy_part(upload, number, &name, range).await,
            Source::Bytes(bytes) => {
                let _one = in_memory.lock().await;
                let bytes = bytes.await?;
                self.part(upload, number, bytes).await.map_err(upload_gone)
            }
        }
    }

    async fn copy_part(
        &self,
        upload: &Multipart,
        number: usize,
        name: &str,
        range: Range<u64>,
    ) -> Result<Part, Error> {
        let last = range.end.saturating_sub(1);
        let call = self
            .call_for_part(upload, number)
            .header("x-amz-copy-source", self.source(name))
            .header(
                "x-amz-copy-source-range",
                format!("bytes={}-{last}", range.start),
            );
        let answer = match self.ask_for_text("copy a part", call).await {
            // What is missing may also be the upload.
            Err(error)
                if error.kind() == ErrorKind::NotFound && self.size(name).await?.is_some() =>
            {
                return Err(upload_gone(error));
            }
            other => other?,
        };
        Ok(Part {
            etag: found(xml::text(&answer, "ETag"))?,
            size: usize::try_from(range.end - range.start).unwrap_or(usize::MAX),
        })
    }

    /// The value of `x-amz-copy-source` for an object.
    pub(super) fn source(&self, object: &str) -> String {
        let source = sign::encode(&format!("/{}/{}{object}", self.bucket, self.prefix));
        source.replace("%2F", "/")
    }

    /// A request for a part, which is counted from 1.
    pub(super) fn call_for_part(&self, upload: &Multipart, number: usize) -> Call {
        let number = number.to_string();
        let query = [("partNumber", number.as_str()), ("uploadId", &upload.id)];
        self.call(Method::PUT, Some(&upload.object), &query)
    }

    pub(super) async fn begin_at(&self, object: String) -> Result<Multipart, Error> {
        let post = || self.call(Method::POST, Some(&object), &[("uploads", "")]);
        let answer = self.ask_in_bucket("begin an upload", post).await?;
        let id = found(xml::text(&answer, "UploadId"))?;
        Ok(Multipart { object, id })
    }

    /// Completes a multipart upload of `size` bytes.
    pub(super) async fn join(
        &self,
        upload: &Multipart,
        parts: &[Part],
        size: u64,
    ) -> Result<(), Error> {
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
                    _ => Err(upload_gone(error)),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Gives an upload up. One that is completed is no longer there, and its object stays.
    pub(super) async fn abandon(&self, upload: &Multipart) {
        let query = [("uploadId", upload.id.as_str())];
        let call = self.call(Method::DELETE, Some(&upload.object), &query);
        // What stays is for `remove_leftovers`.
        let _ = self.ask("abort", call).await;
    }
}

/// It is not a blob that is missing.
fn upload_gone(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::new(ErrorKind::Unavailable, "S3: the upload is gone"),
        _ => error,
    }
}

fn found(text: Option<String>) -> Result<String, Error> {
    text.ok_or_else(|| Error::new(ErrorKind::Unavailable, "S3: an answer lacks what was asked"))
}
