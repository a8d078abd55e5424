//! Uploads: small blobs whole, to the first endpoint that takes them; larger ones as they come, to one that has just
//! answered. If that one fails in the middle, the upload fails and the next one goes elsewhere.

use super::{Client, accept};
use crate::parts::SMALL;
use crate::{Error, ErrorKind, Hasher, Upload};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use faafo_model::{BlobKey, BlobRef};
use futures_util::stream;
use reqwest::{Method, Response};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A blob on its way to the API.
pub(super) struct Sending {
    client: Arc<Client>,
    hasher: Hasher,
    /// What is not sent yet; all of it while the blob may be small.
    buffer: BytesMut,
    pipe: Option<Pipe>,
    broken: bool,
}

/// A request whose body is being sent.
struct Pipe {
    /// Dropped before `None` was sent, it breaks the body off.
    pieces: mpsc::Sender<Option<Bytes>>,
    answer: JoinHandle<Result<Response, Error>>,
}

impl Sending {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            hasher: Hasher::default(),
            buffer: BytesMut::new(),
            pipe: None,
            broken: false,
        }
    }

    /// Finds an endpoint and begins a request to it.
    async fn connect(&mut self) -> Result<(), Error> {
        // This leads away from endpoints that don't answer.
        self.client.size(&BlobKey([0; 32]).to_string()).await?;
        let endpoint = self.client.current.load(Ordering::Relaxed);
        let client = Arc::clone(&self.client);
        let (pieces, coming) = mpsc::channel(1);
        let body = stream::unfold(coming, |mut coming| async move {
            match coming.recv().await {
                Some(Some(piece)) => Some((Ok(piece), coming)),
                Some(None) => None,
                None => Some((Err(io::Error::other("the upload was given up")), coming)),
            }
        });
        let answer = tokio::spawn(async move {
            let call = client.call(Method::PUT, None, endpoint);
            let result = client
                .http
                .stream(call, body)
                .await
                .map_err(Error::from)
                .and_then(|response| accept("store", response));
            if result.is_err() {
                client.leave(endpoint);
            }
            result
        });
        self.pipe = Some(Pipe { pieces, answer });
        Ok(())
    }

    /// Sends what is buffered.
    async fn flush(&mut self) -> Result<(), Error> {
        if self.pipe.is_none() {
            self.connect().await?;
        }
        let bytes = self.buffer.split().freeze();
        if let Some(pipe) = &mut self.pipe
            && !bytes.is_empty()
            && pipe.pieces.send(Some(bytes)).await.is_err()
        {
            // The request has ended before its body: it knows why.
            return match self.answer().await {
                Ok(_) => Err(Error::new(
                    ErrorKind::Unavailable,
                    "API: store: answered too early",
                )),
                Err(error) => Err(error),
            };
        }
        Ok(())
    }

    async fn answer(&mut self) -> Result<Response, Error> {
        match self.pipe.take() {
            Some(pipe) => pipe.answer.await.map_err(|_| Error::stopping())?,
            None => Err(Error::stopping()),
        }
    }
}

#[async_trait]
impl Upload for Sending {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "an earlier write failed",
            ));
        }
        self.hasher.update(&bytes);
        if self.pipe.is_none() && self.buffer.len() + bytes.len() <= SMALL {
            self.buffer.extend_from_slice(&bytes);
        } else {
            self.flush().await?;
            self.buffer.extend_from_slice(&bytes);
            self.flush().await?;
        }
        self.broken = false;
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<BlobRef, Error> {
        if self.broken {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "an earlier write failed",
            ));
        }
        let blob = std::mem::take(&mut self.hasher).finish();
        let response = match &self.pipe {
            None => {
                let bytes = self.buffer.split().freeze();
                let put = |endpoint| {
                    self.client
                        .call(Method::PUT, None, endpoint)
                        .body(bytes.clone())
                };
                self.client.ask("store", put).await?
            }
            Some(pipe) => {
                // If nobody takes it, the answer says why.
                let _ = pipe.pieces.send(None).await;
                self.answer().await?
            }
        };
        let text = self.client.http.text(response).await?;
        match serde_json::from_str::<BlobRef>(&text) {
            Ok(stored) if stored == blob => Ok(blob),
            _ => Err(Error::new(
                ErrorKind::Unavailable,
                "API: store: what arrived is not what was sent",
            )),
        }
    }
}
