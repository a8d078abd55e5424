//! What is urgent comes first.

use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::http::Request;
use faafo_e2e::{Home, Service, printed, recipe};
use serde_json::json;

/// The fractals in the order in which they were finished.
fn finished(api: &Service) -> Vec<String> {
    let rows = api.json("/v1/fractal?results_per_page=-1");
    let mut rows = rows["objects"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["finished_at"].as_str().unwrap().to_owned());
    let id = |row: &serde_json::Value| row["uuid"].as_str().unwrap().to_owned();
    rows.iter().map(id).collect()
}

#[test]
fn an_urgent_fractal_overtakes_those_that_wait() {
    let cluster = Cluster::new(Engine::Postgres);
    let api = cluster.api(&[]);
    let ids: Vec<_> = (0..20)
        .map(|number| api.create(&recipe::medium(number)))
        .collect();
    let urgent = json!({"priority": 7});
    let urgent = api.create(&recipe::with(recipe::medium(50), urgent));
    assert_eq!(api.row(&urgent)["priority"], 7);
    // Already in the queue, and moved forward only now.
    assert_eq!(printed(&api.cli(&["priority", "100", &ids[19]])), "");
    assert_eq!(api.row(&ids[19])["priority"], 100);
    let _worker = cluster.worker(&[&api], &["--slots", "1", "--threads", "1"]);
    api.wait_until_all_done(21);
    let order = finished(&api);
    for id in [&urgent, &ids[19]] {
        let place = order.iter().position(|done| done == id).unwrap();
        assert!(place < 8, "{id} came as number {place}");
    }
}

#[test]
fn a_priority_out_of_range_is_refused_by_name() {
    let service = Home::new().start(&["--slots", "0"]);
    let answer = service.post(&recipe::with(recipe::small(), json!({"priority": 101})));
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["field"], "priority");
    let id = service.create(&recipe::small());
    let path = format!("/v1/fractal/{id}/priority");
    let answer = service.send(&Request::new("POST", &path).json(&json!({"priority": "high"})));
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["field"], "priority");
    let output = service.cli(&["create", "--tasks", "1", "--priority", "-3", "--json"]);
    assert!(printed(&output).contains(r#""priority":-3"#));
}
