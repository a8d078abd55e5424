//! The API's side of blobs, as small as it can be, over files; and what only the API store does.

use crate::place;
use crate::promises::{content, fetch};
use bytes::Bytes;
use faafo_blob::{BlobStore, ErrorKind, open, put};
use faafo_model::BlobKey;
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Serves as long as it lives.
pub struct ApiServer {
    pub address: SocketAddr,
    accepting: JoinHandle<()>,
}

type Answer = Response<BoxBody<Bytes, io::Error>>;

impl ApiServer {
    pub fn start(folder: &Path, token: &'static str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let url = format!("file:{}", folder.display());
        let accepting = tokio::spawn(async move {
            let store = open(&url).await.unwrap();
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let store = Arc::clone(&store);
                let service = service_fn(move |request| answer(Arc::clone(&store), token, request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(connection), service),
                );
            }
        });
        Self { address, accepting }
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn status(status: u16) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status.try_into().unwrap();
    response
}

fn text(code: u16, text: String) -> Answer {
    let body = Full::from(text).map_err(|never| match never {}).boxed();
    status(code).map(|()| body)
}

async fn answer(
    store: Arc<dyn BlobStore>,
    token: &str,
    request: Request<Incoming>,
) -> io::Result<Answer> {
    let header = |name: &str| Some(request.headers().get(name)?.to_str().unwrap().to_owned());
    if header("authorization") != Some(format!("Bearer {token}")) {
        return Ok(text(401, String::new()));
    }
    let path = request.uri().path().strip_prefix("/v1/blobs").unwrap();
    let key = path.trim_start_matches('/').parse::<BlobKey>();
    let range = header("range");
    match (request.method().clone(), key) {
        (Method::PUT, Err(_)) => {
            let mut upload = store.begin().await.unwrap();
            let mut body = request.into_body().into_data_stream();
            while let Some(piece) = body.next().await {
                upload
                    .write(piece.map_err(io::Error::other)?)
                    .await
                    .unwrap();
            }
            let blob = upload.finish().await.unwrap();
            Ok(text(201, serde_json::to_string(&blob).unwrap()))
        }
        (Method::GET, Err(_)) => Ok(text(204, String::new())),
        (Method::DELETE, Ok(key)) => {
            store.delete(&key).await.unwrap();
            Ok(text(204, String::new()))
        }
        (method, Ok(key)) => {
            let Some(size) = store.size(&key).await.unwrap() else {
                return Ok(text(404, String::new()));
            };
            let range = range.as_deref().map_or(0..size, |range| {
                let (first, last) = range
                    .strip_prefix("bytes=")
                    .unwrap()
                    .split_once('-')
                    .unwrap();
                first.parse().unwrap()..last.parse::<u64>().unwrap() + 1
            });
            let mut response = status(if range == (0..size) { 200 } else { 206 });
            let length = range.end - range.start;
            response
                .headers_mut()
                .insert("content-length", length.into());
            if method == Method::HEAD {
                return Ok(response.map(|()| text(200, String::new()).into_body()));
            }
            let pieces = store.read(&key, range).await.unwrap();
            let frames = pieces.map_ok(Frame::data).map_err(io::Error::other);
            // A body of this kind has to be shared between threads, a stream not.
            let body = BodyExt::boxed(StreamBody::new(sync(frames)));
            Ok(response.map(|()| body))
        }
        _ => Ok(text(405, String::new())),
    }
}

/// A stream as one that may be shared.
fn sync<T: Send + 'static>(
    stream: impl futures_util::Stream<Item = T> + Send + 'static,
) -> impl futures_util::Stream<Item = T> + Send + Sync + 'static {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let mut stream = std::pin::pin!(stream);
        while let Some(item) = stream.next().await {
            if sender.send(item).await.is_err() {
                return;
            }
        }
    });
    futures_util::stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    })
}

#[tokio::test]
async fn a_dead_endpoint_is_passed_over() {
    let place = place::api();
    let dead = "http://127.0.0.1:1";
    let store = open(&format!("{dead},{}", place.url())).await.unwrap();
    for length in [1000, 9_000_000] {
        let bytes = content(length, 1);
        let blob = put(&*store, bytes.clone()).await.unwrap();
        assert!(fetch(&*store, &blob.key, 0..blob.size).await == bytes);
        store.delete(&blob.key).await.unwrap();
    }
}

#[tokio::test]
async fn an_endpoint_that_dies_in_the_middle_fails_one_upload_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (
        ApiServer::start(folder.path(), "t"),
        ApiServer::start(folder.path(), "t"),
    );
    let proxy = crate::proxy::Proxy::to(one.address).await;
    let url = format!("http://t@{},http://{}", proxy.address, other.address);
    let store = open(&url).await.unwrap();
    let mut upload = store.begin().await.unwrap();
    upload.write(content(9_000_000, 1)).await.unwrap();
    proxy.refuse();
    let mut failure = None;
    for _ in 0..50 {
        failure = upload.write(content(9_000_000, 1)).await.err();
        if failure.is_some() {
            break;
        }
    }
    assert_eq!(failure.unwrap().kind(), ErrorKind::Unavailable);
    put(&*store, content(9_000_000, 2)).await.unwrap();
    // An upload that broke off has stored nothing.
    let files: Vec<_> = open(&format!("file:{}", folder.path().display()))
        .await
        .unwrap()
        .list()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(files.len(), 1);
}

#[tokio::test]
async fn the_token_may_come_from_the_environment() {
    let place = place::api();
    let url = format!("http://{}", place.server);
    let environment = |name: &str| (name == "FAAFO_TOKEN").then(|| "t0ken".to_owned());
    let store = faafo_blob::open_with(&url, None, &environment)
        .await
        .unwrap();
    put(&*store, content(10, 1)).await.unwrap();
    let store = faafo_blob::open_with(&url, None, &|_| None).await.unwrap();
    let error = put(&*store, content(10, 1)).await.unwrap_err();
    assert!(error.to_string().contains("FAAFO_TOKEN"), "{error}");
}
