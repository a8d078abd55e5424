//! Workers are heard of.

use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::{Home, Service, printed, recipe, wait_until};
use serde_json::{Value, json};

fn workers(api: &Service) -> Vec<Value> {
    api.json("/v1/workers")["workers"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn workers_are_listed_with_what_they_render_until_they_say_goodbye() {
    let cluster = Cluster::new(Engine::MariaDb);
    let api = cluster.api(&[]);
    let flags = ["--threads", "1", "--slots", "1"];
    let stopped = cluster.worker(&[&api], &[&flags[..], &["--name", "first"]].concat());
    let killed = cluster.worker(&[&api], &flags);
    wait_until("both are there", || workers(&api).len() == 2);
    for worker in workers(&api) {
        assert_eq!(worker["cores"], 1);
        assert!(worker["last_seen"].is_string() && worker["version"].is_string());
    }
    let id = api.create(&recipe::with(
        recipe::long(),
        json!({"width": 6000, "height": 6000}),
    ));
    wait_until("one says what it renders", || {
        let busy = |worker: &Value| worker["current"] == json!([id]);
        workers(&api).iter().any(busy)
    });
    assert!(printed(&api.cli(&["workers"])).contains(&id));
    api.delete(&id);
    assert_eq!(stopped.terminate(), Some(0));
    wait_until("one has said goodbye", || workers(&api).len() == 1);
    killed.kill9();
    assert_eq!(workers(&api).len(), 1, "nobody knows yet");
}

#[test]
fn one_process_lists_itself() {
    let service = Home::new().start(&["--threads", "2"]);
    wait_until("it is there", || workers(&service).len() == 1);
    let output = printed(&service.cli(&["workers", "--json"]));
    let worker: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(worker["cores"], 2);
    assert_eq!(worker["name"], worker["host"]);
}
