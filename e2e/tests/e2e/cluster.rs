//! The roles in processes of their own, on RabbitMQ and a database server.

use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::{Home, Service, pictures, printed, recipe, wait_until};
use serde_json::json;

fn create_some(service: &Service, number: u32) -> Vec<String> {
    (0..number)
        .map(|number| service.create(&recipe::medium(number)))
        .collect()
}

/// Everything on `engine`, with nothing but the queue and the API known to the workers: the same pictures as `faafo up`
/// makes, and nothing left behind after deleting them.
fn works_and_makes_the_same_pictures(engine: Engine) {
    let cluster = Cluster::new(engine);
    // Asked for before any worker was ever started.
    let api = cluster.api(&["--no-tracker"]);
    let ids = create_some(&api, 12);
    let _trackers = [cluster.tracker(), cluster.tracker()];
    let _workers = [cluster.worker(&[&api], &[]), cluster.worker(&[&api], &[])];
    api.wait_until_all_done(12);
    let alone = Home::new().start(&[]);
    for (number, id) in ids.iter().enumerate() {
        let twin = alone.create_done(&recipe::medium(number as u32));
        assert_eq!(
            pictures::sha256(&api.picture(id)),
            pictures::sha256(&alone.picture(&twin))
        );
    }
    for id in &ids {
        api.delete(id);
    }
    wait_until("all pictures are gone", || {
        cluster.home().blobs().is_empty()
    });
}

#[test]
fn postgres_and_rabbitmq_make_the_same_pictures_as_one_process() {
    works_and_makes_the_same_pictures(Engine::Postgres);
}

#[test]
fn mariadb_and_rabbitmq_make_the_same_pictures_as_one_process() {
    works_and_makes_the_same_pictures(Engine::MariaDb);
}

/// Defects 3 and 6.
#[test]
fn a_killed_worker_s_task_is_done_by_another_one() {
    let cluster = Cluster::new(Engine::Postgres);
    let api = cluster.api(&[]);
    let first = cluster.worker(&[&api], &["--slots", "1", "--threads", "1"]);
    let some_seconds = json!({"width": 3000, "height": 800});
    let id = api.create(&recipe::with(recipe::medium(0), some_seconds));
    api.wait_until_state(&id, "rendering");
    let _second = cluster.worker(&[&api], &["--slots", "1"]);
    first.kill9();
    api.wait_until_state(&id, "done");
    assert_eq!(
        api.row(&id)["attempt"],
        1,
        "the broker knew at once, long before the lease ended"
    );
    api.picture(&id);
}

/// Defects 3 and 4.
#[test]
fn while_one_api_server_is_left_nothing_is_lost() {
    let cluster = Cluster::new(Engine::Postgres);
    let apis = [cluster.api(&[]), cluster.api(&[])];
    let _worker = cluster.worker(&[&apis[0], &apis[1]], &[]);
    create_some(&apis[1], 30);
    wait_until("some are done", || apis[1].count("done") > 3);
    let [first, second] = apis;
    first.kill9();
    second.wait_until_all_done(30);
}

/// Defect 7.
#[test]
fn a_worker_told_to_stop_hands_back_what_it_can_t_finish() {
    let cluster = Cluster::new(Engine::MariaDb);
    let api = cluster.api(&[]);
    let worker = cluster.worker(&[&api], &["--slots", "2"]);
    let ids = create_some(&api, 20);
    wait_until("some are done", || api.count("done") > 2);
    assert_eq!(worker.terminate(), Some(0));
    let _next = cluster.worker(&[&api], &[]);
    api.wait_until_all_done(20);
    for id in ids {
        assert_eq!(api.row(&id)["attempt"], 1, "nobody is to blame");
    }
}

#[test]
fn cancelled_fractals_stay_cancelled_until_somebody_retries_them() {
    let cluster = Cluster::new(Engine::Postgres);
    let api = cluster.api(&[]);
    let ids = create_some(&api, 10);
    assert_eq!(printed(&api.cli(&["cancel", &ids[0]])), "");
    assert_eq!(
        printed(&api.cli(&["cancel", "--state", "queued"])).trim(),
        "9"
    );
    assert_eq!(api.count("cancelled"), 10);
    let _worker = cluster.worker(&[&api], &[]);
    assert_eq!(printed(&api.cli(&["retry", &ids[3]])), "");
    api.wait_until_state(&ids[3], "done");
    assert_eq!(printed(&api.cli(&["retry", "--all"])).trim(), "9");
    api.wait_until_all_done(10);
}

#[test]
fn a_worker_without_a_shared_queue_says_so() {
    let output = Home::new().run(&["worker"]);
    assert!(faafo_e2e::complaint(&output).contains("transport_url"));
}
