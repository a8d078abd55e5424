//! The receiving side of OTLP over HTTP: keeps the spans that it is sent.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A collector. It listens for as long as the test runs.
pub struct Collector {
    address: SocketAddr,
    spans: Arc<Mutex<Vec<Received>>>,
}

/// A span as it came, with the name of the service that sent it.
#[derive(Debug, Clone)]
pub struct Received {
    /// The attribute `service.name` of its resource.
    pub service: String,
    /// All of it.
    pub span: Value,
}

impl Collector {
    /// Starts one on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let spans = Arc::<Mutex<Vec<Received>>>::default();
        let kept = Arc::clone(&spans);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || receive(&stream.unwrap(), &kept));
            }
        });
        Self { address, spans }
    }

    /// Its URL, as a setting has it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans of a trace, so far.
    pub fn trace(&self, id: &str) -> Vec<Received> {
        let spans = self.spans.lock().unwrap();
        let of_trace = spans
            .iter()
            .filter(|received| received.span["traceId"] == id);
        of_trace.cloned().collect()
    }
}

/// Answers requests until the sender closes the connection.
fn receive(stream: &TcpStream, kept: &Mutex<Vec<Received>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
        assert!(
            head.contains("content-type: application/json\r\n"),
            "{head}"
        );
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        keep(&serde_json::from_slice(&body).unwrap(), kept);
        let answer =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        let mut stream = stream;
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn keep(request: &Value, kept: &Mutex<Vec<Received>>) {
    for resource in request["resourceSpans"].as_array().unwrap() {
        let attributes = resource["resource"]["attributes"].as_array().unwrap();
        let name = attributes
            .iter()
            .find(|attribute| attribute["key"] == "service.name")
            .unwrap();
        let service = name["value"]["stringValue"].as_str().unwrap();
        for scope in resource["scopeSpans"].as_array().unwrap() {
            for span in scope["spans"].as_array().unwrap() {
                kept.lock().unwrap().push(Received {
                    service: service.to_owned(),
                    span: span.clone(),
                });
            }
        }
    }
}
