//! Blobs in a bucket of any S3 server (path style, Signature Version 4).
//!
//! `s3://[<access key>:<secret>@]<bucket>[/<prefix>]` with these options after a `?`:
//!
//! | option | environment | default |
//! | --- | --- | --- |
//! | user and password in the URL (percent-encoded) | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | – |
//! | `endpoint=http://host:port` | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` | AWS in the region |
//! | `region=` | `AWS_REGION`, `AWS_DEFAULT_REGION` | `us-east-1` |
//! | `public=http://host:port`: where browsers reach the store, for presigned URLs | – | the endpoint |
//! | `timeout=` seconds without progress | – | 30 |
//!
//! Objects are `<prefix><SHA-256>`. Large ones are uploaded in parts below `<prefix>tmp/`, because their name is known
//! only at the end, and then copied by the server. What is composed of other blobs is copied from these. A missing bucket
//! is created.

mod client;
mod compose;
mod list;
mod multipart;
mod plan;
mod upload;
mod xml;

use crate::location::{Location, config};
use crate::parts::PartUpload;
use crate::{BlobStore, ByteStream, Error, ErrorKind, Listed, Piece, Upload, read};
use async_trait::async_trait;
use client::Client;
use faafo_http::Http;
use faafo_http::sign::{Credentials, Signer};
use faafo_model::{BlobKey, BlobRef};
use futures_util::stream::{self, BoxStream, StreamExt};
use reqwest::{Method, Url};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub(crate) struct S3 {
    client: Arc<Client>,
}

impl S3 {
    /// Reads the settings; the server need not be there.
    pub(crate) fn open(mut location: Location<'_>) -> Result<Self, Error> {
        let (bucket, prefix) = (location.name()?, location.prefix()?);
        let missing = || {
            config(
                "lacks credentials: s3://key:secret@…, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        };
        let in_url = location.user(&[]);
        // A session token in the environment belongs to the key in the environment.
        let session_token = match in_url {
            Some(_) => None,
            None => location.option("", &["AWS_SESSION_TOKEN"]),
        };
        let credentials = Credentials {
            id: in_url
                .or_else(|| location.user(&["AWS_ACCESS_KEY_ID"]))
                .ok_or_else(missing)?,
            secret: location
                .password(&["AWS_SECRET_ACCESS_KEY"])
                .ok_or_else(missing)?,
            session_token,
        };
        let region = location
            .option("region", &["AWS_REGION", "AWS_DEFAULT_REGION"])
            .unwrap_or_else(|| "us-east-1".to_owned());
        let endpoint =
            match location.server("endpoint", &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])? {
                Some(endpoint) => endpoint,
                None => Url::parse(&format!("https://s3.{region}.amazonaws.com"))
                    .map_err(|_| config("needs endpoint=http://host:port"))?,
            };
        let public = location
            .server("public", &[])?
            .unwrap_or_else(|| endpoint.clone());
        let http = Http::new(location.patience()?, &[&endpoint])?;
        location.end()?;
        Ok(Self {
            client: Arc::new(Client {
                http,
                endpoint,
                public,
                bucket,
                prefix,
                signer: Signer {
                    service: "s3".to_owned(),
                    region,
                    credentials,
                },
            }),
        })
    }
}

#[async_trait]
impl BlobStore for S3 {
    async fn begin(&self) -> Result<Box<dyn Upload>, Error> {
        Ok(Box::new(PartUpload::new(Arc::clone(&self.client))))
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<ByteStream, Error> {
        if range.is_empty() {
            return match self.size(key).await? {
                Some(_) => Ok(stream::empty().boxed()),
                None => Err(Error::new(ErrorKind::NotFound, "read: no such blob")),
            };
        }
        read::read(Arc::clone(&self.client), key.to_string(), range).await
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, Error> {
        self.client.size(&key.to_string()).await
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), Error> {
        self.client.delete(&key.to_string()).await
    }

    fn composes(&self, sizes: &[u64]) -> bool {
        plan::is_worth_it(sizes)
    }

    async fn compose(&self, blob: &BlobRef, pieces: &[Piece]) -> Result<u64, Error> {
        compose::compose(&self.client, blob, pieces).await
    }

    async fn ping(&self) -> Result<(), Error> {
        let call = self.client.call(Method::HEAD, None, &[]);
        match self.client.ask("look at the bucket", call).await {
            Err(error) if error.kind() == ErrorKind::NotFound => self.client.create_bucket().await,
            other => other.map(drop),
        }
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        list::blobs(Arc::clone(&self.client))
    }

    async fn presigned_get(
        &self,
        key: &BlobKey,
        file_name: &str,
        valid_for: Duration,
    ) -> Option<String> {
        let disposition = format!(
            "attachment; filename=\"{}\"",
            file_name.replace(['"', '\\'], "_")
        );
        let query = [("response-content-disposition", disposition.as_str())];
        let client = &self.client;
        let mut url = client.url(&client.public, Some(&key.to_string()), &query);
        client
            .signer
            .presign(&mut url, valid_for, SystemTime::now());
        Some(url.into())
    }

    async fn remove_leftovers(&self, older_than: Duration) -> Result<u64, Error> {
        list::remove_leftovers(&self.client, older_than).await
    }
}
