use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::collector::{Collector, Received};
use faafo_e2e::http::Request;
use faafo_e2e::metrics::Metrics;
use faafo_e2e::{Service, recipe, wait_for, wait_until};

const STAGES: [(&str, &str); 6] = [
    ("accept", "faafo-api"),
    ("publish", "faafo-tracker"),
    ("queued", "faafo-worker"),
    ("render", "faafo-worker"),
    ("store", "faafo-worker"),
    ("record", "faafo-tracker"),
];

/// The spans of a picture's trace in the order of its way, once all are there.
#[track_caller]
fn way(collector: &Collector, uuid: &str) -> Vec<Received> {
    let trace = uuid.replace('-', "");
    wait_for("the whole trace has arrived", || {
        let spans = collector.trace(&trace);
        let stage = |name: &str| spans.iter().find(|received| received.span["name"] == name);
        STAGES
            .map(|(name, _)| stage(name).cloned())
            .into_iter()
            .collect()
    })
}

fn nanoseconds(received: &Received, field: &str) -> u64 {
    received.span[field].as_str().unwrap().parse().unwrap()
}

#[test]
fn one_trace_follows_a_picture_through_every_role_and_restart() {
    let cluster = Cluster::new(Engine::Postgres);
    let collector = Collector::start();
    let url = collector.url();
    let flags = ["--otlp-endpoint", &url];
    let first = cluster.api(&[&flags[..], &["--no-tracker"]].concat());
    let post = Request::new("POST", "/v1/fractal").json(&recipe::small());
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer = first.send(&post.header("traceparent", parent));
    let id = answer.json()["uuid"].as_str().unwrap().to_owned();
    // Whoever accepted it is gone before anybody else begins; what it has to say is sent before it ends.
    first.terminate();
    let accepted = collector.trace(&id.replace('-', ""));
    assert_eq!(accepted.len(), 1, "{accepted:#?}");
    let api = cluster.api(&["--no-tracker"]);
    let _tracker = cluster.tracker_with(&flags);
    let _worker = cluster.worker(&[&api], &flags);
    api.wait_until_state(&id, "done");

    let way = way(&collector, &id);
    for (received, (name, service)) in way.iter().zip(STAGES) {
        assert_eq!(received.service, service, "{name}");
        let (begin, end) = ("startTimeUnixNano", "endTimeUnixNano");
        assert!(
            nanoseconds(received, begin) <= nanoseconds(received, end),
            "{name}"
        );
        assert_eq!(received.span["status"], serde_json::json!({}), "{name}");
    }
    let [accept, publish, queued, render, store, record] = way.try_into().unwrap();
    assert!(accept.span.get("parentSpanId").is_none());
    let link = &accept.span["links"][0];
    assert_eq!(link["traceId"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(link["spanId"], "b7ad6b7169203331");
    for (child, parent) in [
        (&publish, &accept),
        (&queued, &publish),
        (&render, &publish),
        (&store, &render),
        (&record, &render),
    ] {
        assert_eq!(child.span["parentSpanId"], parent.span["spanId"]);
    }
    let order =
        [&accept, &publish, &render, &record].map(|span| nanoseconds(span, "startTimeUnixNano"));
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn a_service_in_one_process_tells_the_same_story() {
    let collector = Collector::start();
    let service = Service::start(&["--otlp-endpoint", &collector.url()]);
    let id = service.create_done(&recipe::small());
    for (received, (name, part)) in way(&collector, &id).iter().zip(STAGES) {
        assert_eq!(received.service, part, "{name}");
    }
    let sent = || Metrics::read(service.address()).get("faafo_spans_total{result=\"sent\"}");
    wait_until("the spans are counted", || sent() >= 6.0);
}

#[test]
fn nobody_waits_for_a_collector_that_is_away() {
    let service = Service::start(&["--otlp-endpoint", "http://127.0.0.1:1"]);
    for _ in 0..5 {
        service.create_done(&recipe::small());
    }
    let complaint = "traces don't arrive";
    wait_until("it is said", || service.log().contains(complaint));
    assert_eq!(service.log().matches(complaint).count(), 1);
    let log = service.log();
    assert!(
        log.contains("Connection refused") && !log.contains("can't"),
        "{log}"
    );
    service.terminate();
}
