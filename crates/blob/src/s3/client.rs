//! The handful of S3 calls that blobs need.

use super::xml;
use crate::digest::digest;
use crate::read::Ranged;
use crate::{Error, ErrorKind, read};
use bytes::Bytes;
use faafo_http::sign::{Signer, encode, payload_hash, push};
use faafo_http::{Call, Http, refusal};
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, Response, StatusCode, Url};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Where to look when the server refuses us.
const CREDENTIALS: &str =
    "the key and secret in storage_url, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

pub(super) struct Client {
    pub(super) http: Http,
    pub(super) endpoint: Url,
    pub(super) public: Url,
    pub(super) bucket: String,
    pub(super) prefix: String,
    pub(super) signer: Signer,
}

/// Waits after a bucket was created, in milliseconds: some servers remember for a few seconds that there was none.
const BUCKET_PAUSES: [u64; 6] = [0, 100, 500, 1500, 3000, 6000];

impl Client {
    /// The URL of an object, given without the prefix, or of the bucket.
    pub(super) fn url(&self, server: &Url, object: Option<&str>, query: &[(&str, &str)]) -> Url {
        let mut path = server.path().trim_end_matches('/').to_owned();
        path = path + "/" + &encode(&self.bucket);
        if let Some(object) = object {
            for part in format!("{}{object}", self.prefix).split('/') {
                path = path + "/" + &encode(part);
            }
        }
        let mut url = server.clone();
        url.set_path(&path);
        let mut text = String::new();
        for (name, value) in query {
            push(&mut text, name, value);
        }
        url.set_query(Some(text.as_str()).filter(|text| !text.is_empty()));
        url
    }

    /// A request, still unsigned.
    pub(super) fn call(
        &self,
        method: Method,
        object: Option<&str>,
        query: &[(&str, &str)],
    ) -> Call {
        Call::new(method, self.url(&self.endpoint, object, query))
    }

    /// Signs, sends and takes refusals for errors.
    pub(super) async fn ask(&self, what: &str, call: Call) -> Result<Response, Error> {
        let answer = self.try_to_ask(call).await?;
        answer.map_err(|refused| refused.error(what))
    }

    /// Signs and sends.
    pub(super) async fn try_to_ask(&self, call: Call) -> Result<Result<Response, Refused>, Error> {
        let payload = digest(&call.body, payload_hash).await?;
        let response = self
            .http
            .send(|| self.signer.sign(call.clone(), &payload, SystemTime::now()))
            .await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Ok(response));
        }
        let answer = self.http.text(response).await.unwrap_or_default();
        Ok(Err(Refused::new(status, &answer)))
    }

    /// As [`Client::ask`], for answers that may report a failure although their status is 200, because they begin before
    /// the work ends.
    pub(super) async fn ask_for_text(&self, what: &str, call: Call) -> Result<String, Error> {
        let response = self.ask(what, call).await?;
        let answer = self.http.text(response).await?;
        if let Some(error) = xml::elements(&answer, "Error").next() {
            let refused = Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error);
            return Err(refused.error(what));
        }
        Ok(answer)
    }

    /// Asks for something that needs the bucket, and creates that if it is missing.
    pub(super) async fn ask_in_bucket(
        &self,
        what: &str,
        call: impl Fn() -> Call,
    ) -> Result<String, Error> {
        let mut answer = self.ask_for_text(what, call()).await;
        for pause in BUCKET_PAUSES {
            match &answer {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                _ => break,
            }
            self.create_bucket().await?;
            tokio::time::sleep(Duration::from_millis(pause)).await;
            answer = self.ask_for_text(what, call()).await;
        }
        answer
    }

    pub(super) async fn create_bucket(&self) -> Result<(), Error> {
        let region = &self.signer.region;
        let body = match region.as_str() {
            // The one region that must not be named.
            "us-east-1" => String::new(),
            _ => format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
            ),
        };
        let call = self.call(Method::PUT, None, &[]).body(Bytes::from(body));
        match self.try_to_ask(call).await? {
            Ok(_) => {
                tracing::info!(bucket = self.bucket, "created the bucket");
                Ok(())
            }
            // Somebody else was faster.
            Err(refused) if refused.code.starts_with("BucketAlready") => Ok(()),
            Err(refused) => Err(refused.error("create the bucket")),
        }
    }

    pub(super) async fn size(&self, object: &str) -> Result<Option<u64>, Error> {
        let call = self.call(Method::HEAD, Some(object), &[]);
        match self.ask("look", call).await {
            Ok(response) => {
                let length = response.headers().get(CONTENT_LENGTH);
                let size = length.and_then(|length| length.to_str().ok()?.parse().ok());
                let missing = || Error::new(ErrorKind::Unavailable, "look: no length");
                size.map(Some).ok_or_else(missing)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn delete(&self, object: &str) -> Result<(), Error> {
        let call = self.call(Method::DELETE, Some(object), &[]);
        match self.ask("delete", call).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Ranged for Client {
    fn http(&self) -> &Http {
        &self.http
    }

    async fn open_range(
        self: Arc<Self>,
        name: String,
        range: Range<u64>,
    ) -> Result<Response, Error> {
        let call = self
            .call(Method::GET, Some(&name), &[])
            .header("range", read::header(&range));
        self.ask("read", call).await
    }
}

/// A refusal: S3 says it by a code in XML, if there is a body at all.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    code: String,
}

impl Refused {
    fn new(status: StatusCode, answer: &str) -> Self {
        Self {
            status,
            code: xml::text(answer, "Code").unwrap_or_default(),
        }
    }

    /// What it means.
    pub(super) fn error(&self, what: &str) -> Error {
        let (status, hint) = match self.code.as_str() {
            "QuotaExceeded" | "XMinioStorageFull" => (StatusCode::INSUFFICIENT_STORAGE, ""),
            "RequestTimeTooSkewed" => (StatusCode::FORBIDDEN, "the clock of this machine"),
            "AuthorizationHeaderMalformed" | "PermanentRedirect" => (
                StatusCode::FORBIDDEN,
                "region and endpoint in storage_url, or AWS_REGION",
            ),
            "InvalidBucketName" => (StatusCode::FORBIDDEN, "the bucket's name in storage_url"),
            _ => (self.status, CREDENTIALS),
        };
        refusal(&format!("S3: {what}"), status, &self.code, hint).into()
    }
}
