//! How much goes through: of `faafo up` alone, asked by wrk over 16 connections, beside nginx; and of the split service on
//! PostgreSQL, RabbitMQ and files, with three workers, beside what the broker itself can do by its own client.
//!
//! `cargo bench -p faafo-e2e`, with the executable to measure in `FAAFO_E2E_BIN` (`cargo build --release` makes it). Needs
//! Debian's packages wrk and nginx-light. To compare two executables, run it with one after the other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark fails by panicking"
)]

mod nginx;

use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::http::Request;
use faafo_e2e::{Home, Service, wait_until};
use serde_json::{Value, json};
use std::fs::{read_dir, read_to_string, write};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

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

/// How long wrk asks.
const SECONDS: u64 = 8;

/// Requests a second that wrk gets answered, with this script if there is one; the answers must be good.
fn wrk(url: &str, script: Option<&str>) -> f64 {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", "-c16", &format!("-d{SECONDS}s")]);
    if let Some(script) = script {
        wrk.args(["-s", script]);
    }
    let output = wrk.arg(url).output().expect("wrk is not installed");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("Non-2xx"), "{text}");
    let rate = text
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"));
    rate.and_then(|rate| rate.trim().parse().ok()).expect(&text)
}

/// Seconds of CPU that the process has taken.
fn cpu(process: u32) -> f64 {
    let stat = read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    // In ticks of 10 ms, of the process itself in user and kernel mode.
    let ticks = |field: usize| fields[field].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn threads(process: u32) -> usize {
    read_dir(format!("/proc/{process}/task")).unwrap().count()
}

/// Everything in one process.
fn one_process() {
    let home = Home::new();
    let script = home.path().join("post.lua");
    let body = json!({"width": 32, "height": 32, "iterations": 16, "xa": -1.5, "xb": 1.5, "ya": -1.0, "yb": 1.0});
    let lua = format!(
        "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = '{body}'\n"
    );
    write(&script, lua).unwrap();
    let script = script.to_str().unwrap();
    let service = home.start(&["--slots", "0"]);
    let url = format!("{}/v1/fractal", service.url());
    println!(
        "POST, nothing rendered:     {:7.0} a second",
        wrk(&url, Some(script))
    );
    service.terminate();

    let home = Home::new();
    let service = home.start(&[]);
    let url = format!("{}/v1/fractal", service.url());
    let begun = Instant::now();
    let most = thread::scope(|scope| {
        let asking = scope.spawn(|| wrk(&url, Some(script)));
        let mut most = 0;
        while !asking.is_finished() {
            most = most.max(threads(service.process()));
            thread::sleep(Duration::from_millis(50));
        }
        println!(
            "POST while it renders:      {:7.0} a second",
            asking.join().unwrap()
        );
        most
    });
    wait_until("all are done", || {
        service.count("done") == service.count("accepted")
    });
    let (all, seconds) = (service.count("done") as f64, begun.elapsed().as_secs_f64());
    let millis = cpu(service.process()) * 1000.0 / all;
    println!(
        "until done:                 {:7.0} a second, {millis:.2} CPU-ms each, {most} threads",
        all / seconds
    );
    println!(
        "list page:                  {:7.0} a second",
        wrk(&url, None)
    );
    println!(
        "index page:                 {:7.0} a second",
        wrk(&format!("{}/", service.url()), None)
    );
    let picture = json!({"width": 160, "height": 120, "iterations": 300, "kind": "mandelbrot",
        "xa": -2.2, "xb": 0.8, "ya": -1.2, "yb": 1.2});
    let id = service.create(&picture);
    service.wait_until_state(&id, "done");
    let url = format!("{}/fractal/{id}", service.url());
    let bytes = service.get(&format!("/fractal/{id}")).body;
    let (ours, nginx) = (wrk(&url, None), nginx::serve(&bytes, |url| wrk(url, None)));
    println!(
        "picture of {} bytes:     {ours:7.0} a second, {:.0} % of nginx's {nginx:.0}",
        bytes.len(),
        100.0 * ours / nginx
    );
}

/// Three workers on RabbitMQ and PostgreSQL.
fn split() {
    let cluster = Cluster::new(Engine::Postgres);
    let api = cluster.api(&[]);
    let one = submit(&api, FEW, 1);
    println!("split, accepted, 1 client:  {one:7.0} a second");
    let many = submit(&api, MANY, CLIENTS);
    println!("split, accepted, {CLIENTS} clients: {many:6.0} a second");
    wait_until("all are published", || {
        api.count("queued") == (FEW + MANY) as u64
    });
    let storage = format!("file:{}", cluster.home().data().join("blobs").display());
    let begun = Instant::now();
    let flags = ["--storage-url", &storage];
    let _workers = [(); 3].map(|()| cluster.worker(&[], &flags));
    let rendered = finish(&api, FEW + MANY, FEW + MANY, begun);
    println!("split, rendered:            {rendered:7.0} a second");
    let begun = Instant::now();
    submit(&api, MANY, CLIENTS);
    let through = finish(&api, MANY, FEW + 2 * MANY, begun);
    println!("split, from request to done: {through:6.0} a second");
}

fn main() {
    if std::env::args().all(|word| word != "split") {
        one_process();
    }
    split();
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
                "the broker alone:           {}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
        _ => {
            println!(
                "the broker alone:           not measured: needs Java and librabbitmq-client-java"
            )
        }
    }
}
