//! Blobs in a container of OpenStack Swift, signed in by Keystone v3 or by Swift's own tempauth.
//!
//! `swift://[<user>:<password>@]<container>[/<prefix>]` with these options after a `?`:
//!
//! | option | environment | default |
//! | --- | --- | --- |
//! | `auth=` URL that signs in: with `/v1.0` at its end tempauth, else Keystone | `OS_AUTH_URL`, `ST_AUTH` | – |
//! | user in the URL (percent-encoded: `test%3Atester`) | `OS_USERNAME`; tempauth `ST_USER` | – |
//! | password in the URL | `OS_PASSWORD`; tempauth `ST_KEY` | – |
//! | `project=` | `OS_PROJECT_NAME` | – |
//! | `project_id=` instead | `OS_PROJECT_ID` | – |
//! | `user_domain=` | `OS_USER_DOMAIN_NAME` | `Default` |
//! | `project_domain=` | `OS_PROJECT_DOMAIN_NAME` | `Default` |
//! | `application=id`: user and password are an application credential's id and secret, no project is needed | `OS_APPLICATION_CREDENTIAL_ID`, `OS_APPLICATION_CREDENTIAL_SECRET` | – |
//! | `region=` | `OS_REGION_NAME` | the first one |
//! | `interface=` of the catalogue | `OS_INTERFACE` | `public` |
//! | `temp_url_key=`: presigned URLs are signed with it; it becomes the container's | `SWIFT_TEMP_URL_KEY` | no presigned URLs |
//! | `timeout=` seconds without progress | – | 30 |
//!
//! Objects are `<prefix><SHA-256>`. Large ones are static large objects whose segments lie below `<prefix>segments/` in
//! the same container, so that the container's temporary-URL key covers them. A missing container is created.

mod auth;
mod client;
mod list;
mod upload;

use crate::location::Location;
use crate::parts::PartUpload;
use crate::{BlobStore, ByteStream, Error, ErrorKind, Listed, Upload, read};
use async_trait::async_trait;
use auth::Auth;
use client::Client;
use faafo_http::Http;
use faafo_model::BlobKey;
use futures_util::stream::{self, BoxStream, StreamExt};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Swift {
    client: Arc<Client>,
}

impl Swift {
    /// Reads the settings; the server need not be there.
    pub(crate) fn open(mut location: Location<'_>) -> Result<Self, Error> {
        let (container, prefix) = (location.name()?, location.prefix()?);
        let temp_url_key = location.option("temp_url_key", &["SWIFT_TEMP_URL_KEY"]);
        let auth = Auth::read(&mut location)?;
        let http = Http::new(location.patience()?, &[auth.url()])?;
        location.end()?;
        let client = Client::new(http, auth, container, prefix, temp_url_key);
        Ok(Self {
            client: Arc::new(client),
        })
    }
}

#[async_trait]
impl BlobStore for Swift {
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
        let head = self.client.head(&key.to_string()).await?;
        Ok(head.map(|head| head.size))
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), Error> {
        self.client.delete(&key.to_string()).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.client.create_container().await
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
        let url = self
            .client
            .temporary_url(&key.to_string(), file_name, valid_for)
            .await;
        url.inspect_err(|error| tracing::warn!(%error, "can't make a temporary URL"))
            .ok()
            .flatten()
    }

    async fn remove_leftovers(&self, older_than: Duration) -> Result<u64, Error> {
        list::remove_leftovers(&self.client, older_than).await
    }
}
