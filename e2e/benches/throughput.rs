//! How many tiny fractals a second go through the split service, on PostgreSQL, RabbitMQ and files: asked for by 1 and
//! by 16 clients, rendered, and both at once; beside what the broker itself can do by its own client.
//!
//! `cargo bench -p faafo-e2e`, with the executable to measure in `FAAFO_E2E_BIN` (`cargo build --release` makes it).

use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::http::Request;
use faafo_e2e::{Service, wait_until};
use serde_json::{Value, json};
use std::process::Command;
use std::thread;
use std::time::Instant;

/// Requests with one client, and with all of them together.
const FEW: usize = 1_000;
const MANY: usize = 4_000;
const CLIENTS: usize = 16;

fn tiny() -> Value {
    json!({"width": 32, "height": 32, "iterations": 10, "xa": -1.5, "xb": 1.5, "ya": -1.0, "yb": 1.0,
        "palette": "classic"})
}

/// Asks for that many; returns how many a second were accepted.
fn submit(api: &Service, number: usize, clients: usize) -> f64 {
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                let mut connection = api.connect();
                let request = Request::new("POST", "/v1/fractal").json(&tiny());
                for _ in 0..number / clients {
                    assert_eq!(connection.send(&request).status, 201);
                }
            });
        }
    });
    number as f64 / begun.elapsed().as_secs_f64()
}

/// Waits until that many are done; returns how many a second there were since `begun`.
fn finish(api: &Service, number: usize, all: usize, begun: Instant) -> f64 {
    wait_until("all are done", || api.count("done") == all as u64);
    number as f64 / begun.elapsed().as_secs_f64()
}

fn main() {
    let cluster = Cluster::new(Engine::Postgres);
    let api = cluster.api(&[]);
    let one = submit(&api, FEW, 1);
    println!("accepted, 1 client:    {one:7.0} a second");
    let many = submit(&api, MANY, CLIENTS);
    println!("accepted, {CLIENTS} clients:  {many:7.0} a second");
    wait_until("all are published", || {
        api.count("queued") == (FEW + MANY) as u64
    });
    let storage = format!("file:{}", cluster.home().data().join("blobs").display());
    let begun = Instant::now();
    let _worker = cluster.worker(&[], &["--storage-url", &storage]);
    let rendered = finish(&api, FEW + MANY, FEW + MANY, begun);
    println!("rendered and recorded: {rendered:7.0} a second");
    let begun = Instant::now();
    submit(&api, MANY, CLIENTS);
    let through = finish(&api, MANY, FEW + 2 * MANY, begun);
    println!("from request to done:  {through:7.0} a second");
    broker_limit();
}

/// Debian's packages librabbitmq-client-java and a Java.
fn broker_limit() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/BrokerLimit.java");
    let broker = std::env::var("FAAFO_TEST_RABBITMQ")
        .unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned());
    let jars =
        ["amqp-client", "slf4j-api", "slf4j-nop"].map(|jar| format!("/usr/share/java/{jar}.jar"));
    let mut java = Command::new("java");
    java.args(["-cp", &jars.join(":"), source, &broker, "20000"]);
    match java.output() {
        Ok(output) if output.status.success() => {
            print!(
                "the broker alone:      {}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
        _ => {
            println!("the broker alone:      not measured: needs Java and librabbitmq-client-java")
        }
    }
}
