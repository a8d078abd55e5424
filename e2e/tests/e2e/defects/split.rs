//! What went wrong between services that run apart.

use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::proxy::Proxy;
use faafo_e2e::{Home, Service, pictures, recipe, wait_until};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The names of all blobs that the service's rows refer to.
fn referenced(api: &Service) -> BTreeSet<String> {
    let rows = api.json("/v1/fractal?results_per_page=-1");
    let mut names = BTreeSet::new();
    for row in rows["objects"].as_array().unwrap() {
        let id = row["uuid"].as_str().unwrap();
        names.insert(pictures::sha256(&api.picture(id)));
        let thumbnail = api.get(&format!("/fractal/{id}/thumbnail"));
        names.insert(pictures::sha256(&thumbnail.body));
    }
    names
}

/// Defect 2: the worker never looked at the status of its upload, so that the picture was lost.
#[test]
fn a_picture_arrives_although_its_upload_fails_twice() {
    let cluster = Cluster::new(Engine::Postgres);
    let api = cluster.api(&[]);
    let proxy = Proxy::to(api.address());
    proxy.answer_500(2);
    let url = format!("http://{}", proxy.address());
    let _worker = cluster.worker(&[], &["--endpoint-url", &url]);
    let id = api.create_done(&recipe::small());
    assert_eq!(proxy.failures_left(), 0);
    assert_eq!(
        api.row(&id)["attempt"],
        1,
        "storage is not the task's fault"
    );
    api.picture(&id);
}

/// Defect 3: with the API server down, a finished picture was rendered again and again, or lost.
#[test]
fn a_worker_keeps_its_task_while_the_only_api_server_is_down() {
    let cluster = Cluster::new(Engine::MariaDb);
    let api = cluster.api(&["--no-tracker"]);
    let address = api.address().to_string();
    let _tracker = cluster.tracker();
    let _worker = cluster.worker(&[&api], &["--slots", "1"]);
    let some_time = json!({"width": 900, "height": 600});
    let id = api.create(&recipe::with(recipe::medium(0), some_time));
    api.wait_until_state(&id, "rendering");
    api.kill9();
    wait_until("the worker can't store its picture", || {
        let log = std::fs::read_to_string(cluster.home().log());
        log.unwrap().contains("can't store the picture")
    });
    let api = cluster.api_at(&address, &["--no-tracker"]);
    api.wait_until_state(&id, "done");
    assert_eq!(api.row(&id)["attempt"], 1);
    assert_eq!(cluster.home().blobs(), referenced(&api));
}

/// Defect 5: the first worker took the whole queue for itself.
#[test]
fn a_second_worker_gets_work_at_once() {
    let cluster = Cluster::new(Engine::Postgres);
    let api = cluster.api(&[]);
    let flags = ["--slots", "2", "--threads", "1"];
    let _first = cluster.worker(&[&api], &flags);
    for _ in 0..20 {
        api.create(&recipe::long());
    }
    wait_until("the first one is busy", || api.count("rendering") == 2);
    let begun = Instant::now();
    let _second = cluster.worker(&[&api], &flags);
    wait_until("so is the second one", || api.count("rendering") == 4);
    // Its start included.
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(api.count("queued"), 16);
    faafo_e2e::printed(&api.cli(&["cancel", "--state", "queued"]));
    faafo_e2e::printed(&api.cli(&["cancel", "--state", "rendering"]));
}

/// Defect 18: deleting left the task and the stored picture behind.
#[test]
fn what_is_deleted_leaves_neither_a_task_nor_a_picture_behind() {
    let cluster = Cluster::new(Engine::MariaDb);
    let api = cluster.api(&[]);
    let rendering = api.create(&recipe::long());
    let flags = ["--slots", "1", "--threads", "1"];
    let worker = cluster.worker(&[&api], &flags);
    api.wait_until_state(&rendering, "rendering");
    let waiting = api.create(&recipe::medium(1));
    let finished = {
        // Its slot is free at once, though the picture would have taken minutes.
        api.delete(&rendering);
        api.delete(&waiting);
        api.create_done(&recipe::medium(2))
    };
    api.delete(&finished);
    // Deleted while nobody listens.
    assert_eq!(worker.terminate(), Some(0));
    let (deleted, kept) = (
        api.create(&recipe::medium(3)),
        api.create(&recipe::medium(4)),
    );
    wait_until("both tasks wait", || {
        cluster.messages().values().sum::<u64>() == 2
    });
    api.delete(&deleted);
    let _worker = cluster.worker(&[&api], &flags);
    api.wait_until_state(&kept, "done");
    wait_until("no task is left", || {
        cluster.messages().values().sum::<u64>() == 0
    });
    wait_until("no picture is left over", || {
        cluster.home().blobs() == referenced(&api)
    });
    assert_eq!(api.count("accepted"), 1);
}

/// Defect 30: MariaDB's FLOAT columns, and the queued task, had lost most digits.
#[test]
fn every_number_survives_database_and_queue_bit_for_bit() {
    let numbers = json!({"xa": -2.123456789012345, "xb": 0.1 + 0.2, "ya": -1.000_000_000_000_000_2, "yb": 5e-324,
        "cx": -0.743_643_887_037_151, "cy": 1.0e-17 / 3.0});
    let recipe = recipe::with(recipe::small(), numbers.clone());
    let alone = Home::new().start(&[]);
    let expected = alone.row(&alone.create_done(&recipe));
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let cluster = Cluster::new(engine);
        let api = cluster.api(&[]);
        let _worker = cluster.worker(&[&api], &[]);
        let row = api.row(&api.create_done(&recipe));
        for (field, number) in numbers.as_object().unwrap() {
            let bits = |number: &serde_json::Value| number.as_f64().unwrap().to_bits();
            assert_eq!(bits(&row[field]), bits(number), "{engine:?} {field}");
        }
        assert_eq!(row["checksum"], expected["checksum"], "{engine:?}");
    }
}
