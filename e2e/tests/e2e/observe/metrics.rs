use super::lookouts;
use crate::browser::numbered;
use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::http::{Connection, Request};
use faafo_e2e::metrics::Metrics;
use faafo_e2e::{Home, Service, recipe, wait_for, wait_until};

/// The law in one reading.
#[track_caller]
fn assert_conserved(metrics: &Metrics) {
    let accepted = metrics.get("faafo_fractals_accepted");
    assert_eq!(metrics.sum("faafo_fractals"), accepted);
}

#[test]
fn accepted_is_the_sum_of_all_states_whenever_it_is_read() {
    let service = Service::start(&["--threads", "2", "--slots", "1"]);
    let ids: Vec<String> = (0..30)
        .map(|number| service.create(&numbered(number)))
        .collect();
    let long = service.create(&recipe::long());
    assert_eq!(service.post(&numbered(0)).status, 201);
    for id in &ids[25..] {
        service.cli(&["cancel", id]);
        assert_conserved(&Metrics::read(service.address()));
    }
    service.cli(&["cancel", &long]);
    wait_until("nothing is left to do", || {
        let metrics = Metrics::read(service.address());
        assert_conserved(&metrics);
        let left = ["queued", "rendering"]
            .map(|state| metrics.get(&format!("faafo_fractals{{state=\"{state}\"}}")));
        left == [0.0, 0.0]
    });
    for id in &ids[..7] {
        service.delete(id);
        assert_conserved(&Metrics::read(service.address()));
    }
    // Events are counted apart from rows, and must tell the same story.
    let metrics = Metrics::read(service.address());
    assert_eq!(metrics.get("faafo_accepted_total"), 32.0);
    assert_eq!(metrics.get("faafo_deleted_total"), 7.0);
    assert_eq!(metrics.get("faafo_fractals_accepted"), 25.0);
    assert_eq!(metrics.sum("faafo_finished_total"), 32.0);
    let done = metrics.get("faafo_finished_total{state=\"done\"}");
    // Some may have been rendered in vain.
    let rendered = metrics.get("faafo_tasks_total{result=\"done\"}");
    assert!(rendered >= done, "{rendered}");
    assert_eq!(metrics.get("faafo_render_seconds_count"), rendered);
    assert!(metrics.get("faafo_blob_written_bytes_total") > 0.0);
    assert_eq!(metrics.get("faafo_queue_messages{kind=\"dead\"}"), 0.0);
    assert!(metrics.get("process_resident_memory_bytes") > 1e6);
}

#[test]
fn requests_are_counted_by_route_and_not_by_address() {
    let service = Service::start(&["--slots", "0"]);
    let id = service.create(&recipe::small());
    for path in [format!("/v1/fractal/{id}"), "/v1/fractal/other".to_owned()] {
        service.get(&path);
    }
    service.get("/nowhere");
    service.send(&Request::new("BREW", "/v1/status"));
    let metrics = Metrics::read(service.address());
    let count = |labels: &str| metrics.get(&format!("faafo_http_requests_total{{{labels}}}"));
    assert_eq!(
        count("method=\"GET\",route=\"/v1/fractal/{uuid}\",status=\"2xx\""),
        1.0
    );
    assert_eq!(
        count("method=\"GET\",route=\"/v1/fractal/{uuid}\",status=\"4xx\""),
        1.0
    );
    assert_eq!(count("method=\"GET\",route=\"none\",status=\"4xx\""), 1.0);
    assert_eq!(
        count("method=\"other\",route=\"/v1/status\",status=\"4xx\""),
        1.0
    );
    let seconds = "faafo_http_request_seconds_count{method=\"POST\",route=\"/v1/fractal\"}";
    assert_eq!(metrics.get(seconds), 1.0);
    let (_, stream) = service.connect().begin(&Request::get("/v1/events"));
    let subscribers = || Metrics::read(service.address()).get("faafo_event_subscribers");
    wait_until("the listener is counted", || subscribers() == 1.0);
    drop(stream);
    // A server notices that somebody has gone when it has something to tell.
    wait_until("the listener has gone", || {
        service.create(&recipe::small());
        subscribers() == 0.0
    });
}

#[test]
fn every_role_has_metrics_and_says_whether_it_is_ready() {
    let cluster = Cluster::new(Engine::Postgres);
    let flags = ["--metrics-listen", "127.0.0.1:0", "--log-format", "json"];
    let api = cluster.api(&["--no-tracker"]);
    let _tracker = cluster.tracker_with(&flags);
    let _worker = cluster.worker(&[&api], &flags);
    let id = api.create_done(&recipe::small());
    let addresses = lookouts(&cluster, 2);
    let of = |role: &str| {
        let info = format!(
            "faafo_build_info{{version=\"{}\",role=\"{role}\"}}",
            env!("CARGO_PKG_VERSION")
        );
        let all = addresses
            .iter()
            .map(|address| (*address, Metrics::read(*address)));
        let mut found = all.filter(|(_, metrics)| metrics.has(&info));
        found.next().unwrap_or_else(|| panic!("no {role}"))
    };
    let (tracker, tracked) = of("tracker");
    let (worker, worked) = of("worker");
    assert_conserved(&tracked);
    assert_eq!(tracked.get("faafo_fractals{state=\"done\"}"), 1.0);
    assert_eq!(tracked.sum("faafo_tasks_published_total"), 1.0);
    assert_eq!(
        tracked.get("faafo_reports_recorded_total{result=\"done\"}"),
        1.0
    );
    assert_eq!(worked.get("faafo_tasks_total{result=\"done\"}"), 1.0);
    assert_eq!(worked.sum("faafo_queue_seconds_count"), 1.0);
    let served = Metrics::read(api.address());
    assert_eq!(served.get("faafo_accepted_total"), 1.0);
    // What a worker stores through the API is stored by the API.
    assert!(served.get("faafo_blob_written_bytes_total") >= api.row(&id)["size"].as_f64().unwrap());
    for address in [tracker, worker] {
        for path in ["/healthz", "/readyz"] {
            let answer = Connection::open(address).send(&Request::get(path));
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        assert_eq!(
            Connection::open(address)
                .send(&Request::get("/v1/status"))
                .status,
            404
        );
    }
}

#[test]
fn a_worker_without_its_queue_lives_but_is_not_ready() {
    let home = Home::new();
    let mut command = home.command(&["worker", "-m", "amqp://127.0.0.1:1", "--log-format", "json"]);
    let log = std::fs::File::create(home.log()).unwrap();
    let flags = [
        "--metrics-listen",
        "127.0.0.1:0",
        "--storage-url",
        "file:blobs",
    ];
    let mut child = command.args(flags).stderr(log).spawn().unwrap();
    let address = wait_for("it says where its metrics are", || {
        let log = std::fs::read_to_string(home.log()).unwrap();
        let line = log
            .lines()
            .find(|line| line.contains("metrics and health"))?;
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        line["address"].as_str()?.parse().ok()
    });
    let status = |path| Connection::open(address).send(&Request::get(path));
    assert_eq!(status("/healthz").status, 200);
    let unready = wait_for("all but the queue is there", || {
        let answer = status("/readyz");
        assert_eq!(answer.status, 503);
        Some(answer.text()).filter(|text| text.contains("queue"))
    });
    assert_eq!(unready.trim(), "not ready: queue does not answer");
    assert_eq!(
        Metrics::read(address).get("faafo_part_up{part=\"queue\"}"),
        0.0
    );
    child.kill().unwrap();
    child.wait().unwrap();
}
