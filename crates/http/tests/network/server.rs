//! A server that answers as it is told.

use reqwest::Url;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What to answer to a request, whose head and body it is given; `None` to keep silent.
type Answer = dyn Fn(&str, &str) -> Option<String> + Send + Sync;

pub struct Server {
    pub url: Url,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub async fn start(
        answer: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen): (Arc<Answer>, _) = (Arc::new(answer), Arc::clone(&requests));
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(client, Arc::clone(&answer), Arc::clone(&seen)));
            }
        });
        Self {
            url: Url::parse(&url).unwrap(),
            requests,
        }
    }

    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// An answer with a body and further header lines.
pub fn answer(status: &str, headers: &str, body: &str) -> Option<String> {
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    ))
}

/// One request a connection.
async fn serve(mut client: TcpStream, answer: Arc<Answer>, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while let Ok(1..) = client.read_buf(&mut request).await {
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if body.len() < length.map_or(0, |length| length.parse().unwrap()) {
            continue;
        }
        seen.lock().unwrap().push(head.to_owned());
        match answer(head, body) {
            Some(answer) => {
                client.write_all(answer.as_bytes()).await.unwrap();
                return;
            }
            None => std::future::pending().await,
        }
    }
}
