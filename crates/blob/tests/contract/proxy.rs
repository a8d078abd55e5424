//! A proxy that fails, refuses, stalls and cuts on demand, and tells what was asked through it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// How requests and answers begin. No request is sent before the answer to the one before has come, so each is the
/// beginning of what is read.
const METHODS: [&[u8]; 5] = [b"GET /", b"HEAD /", b"PUT /", b"POST /", b"DELETE /"];
const ANSWER: &[u8] = b"HTTP/1.1 ";

pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Pass,
    Refuse,
    Stall,
}

struct State {
    upstream: SocketAddr,
    mode: Mutex<Mode>,
    failures: AtomicU32,
    cuts: AtomicU32,
    cut_after: AtomicU64,
    /// The heads of all requests that were passed on, and the number of answers.
    requests: Mutex<Vec<String>>,
    answers: AtomicU64,
    /// Bytes that were passed on to the server, and how many are before it is refused.
    sent: AtomicU64,
    refuse_after: AtomicU64,
    /// Ends all connections.
    end: Notify,
}

impl Proxy {
    pub async fn to(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            upstream,
            mode: Mutex::new(Mode::Pass),
            failures: AtomicU32::new(0),
            cuts: AtomicU32::new(0),
            cut_after: AtomicU64::new(u64::MAX),
            requests: Mutex::default(),
            answers: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            refuse_after: AtomicU64::new(u64::MAX),
            end: Notify::new(),
        });
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&accepting);
                tokio::spawn(async move {
                    tokio::select! {
                        () = state.serve(client) => {}
                        () = state.end.notified() => {}
                    }
                });
            }
        });
        Self { address, state }
    }

    pub fn pass(&self) {
        self.change(Mode::Pass);
    }

    /// Closes every connection at once.
    pub fn refuse(&self) {
        self.change(Mode::Refuse);
    }

    /// Takes connections and says nothing.
    pub fn stall(&self) {
        self.change(Mode::Stall);
    }

    /// Answers the next `count` requests with 500.
    pub fn fail_next(&self, count: u32) {
        self.state.failures.store(count, Ordering::SeqCst);
        self.state.end.notify_waiters();
    }

    pub fn failures_left(&self) -> u32 {
        self.state.failures.load(Ordering::SeqCst)
    }

    /// Cuts the next `count` connections after so many bytes to the client.
    pub fn cut_after(&self, bytes: u64, count: u32) {
        self.state.cut_after.store(bytes, Ordering::SeqCst);
        self.state.cuts.store(count, Ordering::SeqCst);
        self.state.end.notify_waiters();
    }

    /// Closes every connection once so many more bytes have come for the server.
    pub fn refuse_after(&self, bytes: u64) {
        let sent = self.sent();
        self.state
            .refuse_after
            .store(sent + bytes, Ordering::SeqCst);
    }

    /// How many bytes have come for the server.
    pub fn sent(&self) -> u64 {
        self.state.sent.load(Ordering::SeqCst)
    }

    /// How many requests had this in their heads, which have names of headers in lower case.
    pub fn asked(&self, what: &str) -> usize {
        let requests = self.state.requests.lock().unwrap();
        requests.iter().filter(|head| head.contains(what)).count()
    }

    /// Whether an answer to every request has begun.
    pub fn is_idle(&self) -> bool {
        self.state.answers.load(Ordering::SeqCst) == self.asked("") as u64
    }

    fn change(&self, mode: Mode) {
        *self.state.mode.lock().unwrap() = mode;
        self.state.end.notify_waiters();
    }
}

fn one_less(counter: &AtomicU32) -> bool {
    let less = |count: u32| count.checked_sub(1);
    counter
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        .is_ok()
}

impl State {
    async fn serve(&self, mut client: TcpStream) {
        let mode = *self.mode.lock().unwrap();
        match mode {
            Mode::Refuse => return,
            Mode::Stall => return std::future::pending().await,
            Mode::Pass => {}
        }
        // A connection that brings no request is no failed request.
        let mut first = [0; 1];
        if !matches!(client.peek(&mut first).await, Ok(1)) {
            return;
        }
        if one_less(&self.failures) {
            read_request(&mut client).await;
            let answer = "HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            let _ = client.write_all(answer.as_bytes()).await;
            return;
        }
        let limit = match one_less(&self.cuts) {
            true => self.cut_after.load(Ordering::SeqCst),
            false => u64::MAX,
        };
        let Ok(server) = TcpStream::connect(self.upstream).await else {
            return;
        };
        let (mut from_client, mut to_client) = client.split();
        let (from_server, mut to_server) = server.into_split();
        let mut from_server = from_server.take(limit);
        tokio::select! {
            () = pass_on(&mut from_client, &mut to_server, |bytes| self.note_sent(bytes)) => {}
            () = pass_on(&mut from_server, &mut to_client, |bytes| self.note_answered(bytes)) => {}
        }
    }
}

impl State {
    /// Whether these bytes may go to the server.
    fn note_sent(&self, bytes: &[u8]) -> bool {
        if METHODS.iter().any(|method| bytes.starts_with(method)) {
            let text = String::from_utf8_lossy(bytes);
            let head = text.split("\r\n\r\n").next().unwrap().to_owned();
            self.requests.lock().unwrap().push(head);
        }
        let length = bytes.len() as u64;
        let sent = self.sent.fetch_add(length, Ordering::SeqCst) + length;
        let allowed = sent <= self.refuse_after.load(Ordering::SeqCst);
        if !allowed {
            *self.mode.lock().unwrap() = Mode::Refuse;
            self.end.notify_waiters();
        }
        allowed
    }

    fn note_answered(&self, bytes: &[u8]) -> bool {
        if bytes.starts_with(ANSWER) {
            self.answers.fetch_add(1, Ordering::SeqCst);
        }
        true
    }
}

/// Passes bytes on for as long as they come and may.
async fn pass_on(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    may: impl Fn(&[u8]) -> bool,
) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let bytes = &bytes[..length];
        if !may(bytes) || to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

/// Reads one request to its end, so that the answer is not lost by a reset.
async fn read_request(client: &mut TcpStream) {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let body = request.len() - head.len() - 4;
            let head = head.to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let done = match length {
                Some(length) => body >= length.parse().unwrap(),
                None if head.contains("transfer-encoding: chunked") => {
                    request.ends_with(b"\r\n0\r\n\r\n")
                }
                None => true,
            };
            if done {
                return;
            }
        }
        if !matches!(client.read_buf(&mut request).await, Ok(1..)) {
            return;
        }
    }
}
