//! Broker and database away at the wrong moment.

use faafo_e2e::cluster::{Cluster, Engine, Urls};
use faafo_e2e::proxy::Proxy;
use faafo_e2e::servers::{Broker, Database, Objects};
use faafo_e2e::{Home, recipe, wait_until};
use serde_json::json;
use std::time::{Duration, Instant};

/// A service on a broker and a database of its own.
struct Own {
    cluster: Cluster,
    broker: Broker,
    to_broker: Proxy,
    _database: Database,
    _pictures: Home,
}

impl Own {
    fn new(broker: Broker, settings: &str) -> Self {
        let to_broker = Proxy::to(broker.address());
        let database = Database::start(Engine::Postgres);
        let pictures = Home::new();
        let cluster = Cluster::at(Urls {
            database: database.url(database.address()),
            transport: format!("amqp://guest:guest@{}/%2f{settings}", to_broker.address()),
            storage: format!("file:{}", pictures.data().join("blobs").display()),
        });
        Self {
            cluster,
            broker,
            to_broker,
            _database: database,
            _pictures: pictures,
        }
    }

    fn start_again(&mut self) {
        self.broker.start_again();
        self.to_broker.lead_to(self.broker.address());
    }
}

/// Defect 12: the row was committed, then publishing failed, and the fractal was stuck for ever.
#[test]
fn what_is_accepted_without_a_broker_is_done_once_it_is_back() {
    let (cluster, to_broker, _to_database) = Cluster::behind_proxies(Engine::MariaDb);
    let api = cluster.api(&[]);
    let _worker = cluster.worker(&[&api], &[]);
    api.create_done(&recipe::small());
    to_broker.down();
    for _ in 0..5 {
        api.create(&recipe::small());
    }
    wait_until("publishing has failed", || {
        api.log().contains("can't publish a task")
    });
    assert_eq!(api.count("queued"), 5);
    to_broker.back();
    api.wait_until_all_done(6);
}

/// Defect 24: services raced at boot.
#[test]
fn the_services_may_start_in_any_order() {
    let (cluster, to_broker, to_database) = Cluster::behind_proxies(Engine::Postgres);
    to_broker.down();
    to_database.down();
    // The worker before the server that it sends its pictures to.
    let address = Home::new().start(&["--slots", "0"]).address().to_string();
    let url = format!("http://{address}");
    let _worker = cluster.worker(&[], &["--endpoint-url", &url]);
    let _tracker = cluster.tracker();
    let api = std::thread::scope(|scope| {
        let api = scope.spawn(|| cluster.api_at(&address, &["--no-tracker"]));
        wait_until("the tracker misses its database", || {
            let log = std::fs::read_to_string(cluster.home().log());
            log.unwrap().contains("the database is not there yet")
        });
        to_database.back();
        api.join().unwrap()
    });
    let id = api.create(&recipe::small());
    wait_until("the tracker misses its broker", || {
        let log = std::fs::read_to_string(cluster.home().log());
        log.unwrap().contains("no connection to RabbitMQ")
    });
    to_broker.back();
    api.wait_until_state(&id, "done");
}

/// Defect 31: the broker was killed right after five requests had been accepted, and all five were lost.
#[test]
fn what_was_accepted_before_the_broker_was_killed_is_done_after_it() {
    let mut own = Own::new(Broker::start(), "");
    let api = own.cluster.api(&[]);
    // It is there.
    let id = api.create(&recipe::small());
    wait_until("tasks flow", || {
        own.broker.messages().get("faafo.tasks.batch") == Some(&1)
    });
    for _ in 0..5 {
        api.create(&recipe::small());
    }
    own.broker.kill();
    own.start_again();
    let _worker = own.cluster.worker(&[&api], &[]);
    api.wait_until_all_done(6);
    assert_eq!(api.row(&id)["attempt"], 1);
}

/// The broker comes back without its data, as after a disk was lost: what it held is published again soon, and nobody
/// is to blame.
#[test]
fn what_a_wiped_broker_held_is_done_soon_after_it_is_back() {
    const TASKS: u64 = 6;
    let mut own = Own::new(Broker::start(), "");
    let api = own.cluster.api(&[]);
    let ids: Vec<String> = (0..TASKS).map(|_| api.create(&recipe::small())).collect();
    wait_until("the broker holds all tasks", || {
        own.broker.messages().get("faafo.tasks.batch") == Some(&TASKS)
    });
    own.broker.kill();
    own.broker.wipe();
    own.start_again();
    let begun = Instant::now();
    let _worker = own.cluster.worker(&[&api], &[]);
    api.wait_until_all_done(TASKS);
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!("the tasks of a wiped broker are done after {seconds:.1} s");
    // 20 s after they were published, looked at every 5 s, and the time to connect anew.
    assert!(seconds < 45.0, "{seconds}");
    for id in ids {
        assert_eq!(api.row(&id)["attempt"], 1);
    }
}

/// Defect 32: with the database down, a worker's result was answered with 500, acknowledged and lost.
#[test]
fn a_picture_delivered_while_the_database_is_down_arrives_once_it_is_back() {
    let (cluster, _to_broker, to_database) = Cluster::behind_proxies(Engine::MariaDb);
    let api = cluster.api(&[]);
    // It stores its pictures by itself, so that nothing keeps it waiting.
    let storage = format!("file:{}", cluster.home().data().join("blobs").display());
    let _worker = cluster.worker(&[&api], &["--slots", "1", "--storage-url", &storage]);
    let some_time = json!({"width": 900, "height": 600});
    let id = api.create(&recipe::with(recipe::medium(0), some_time));
    api.wait_until_state(&id, "rendering");
    to_database.down();
    wait_until("picture and thumbnail are stored", || {
        cluster.home().blobs().len() == 2
    });
    wait_until("the tracker can't record it", || {
        api.log().contains("can't record reports")
    });
    to_database.back();
    api.wait_until_state(&id, "done");
    assert_eq!(api.row(&id)["attempt"], 1);
    api.picture(&id);
}

/// Chaos has found this one: a tracker that could not ask the store believed that a picture was still there.
#[test]
fn no_row_says_done_before_the_store_says_that_the_picture_is_there() {
    let objects = Objects::start();
    let to_objects = Proxy::to(objects.address());
    let direct = objects.url(objects.address());
    let cluster = Cluster::new(Engine::Postgres).with_storage(&objects.url(to_objects.address()));
    let api = cluster.api(&["--no-tracker"]);
    let tracker = cluster.tracker();
    let _worker = cluster.worker(&[&api], &["--slots", "1", "--storage-url", &direct]);
    let some_time = json!({"width": 900, "height": 600});
    let id = api.create(&recipe::with(recipe::medium(0), some_time));
    api.wait_until_state(&id, "rendering");
    tracker.kill9();
    wait_until("picture and thumbnail are stored", || {
        objects.names().len() == 2
    });
    for name in objects.names() {
        objects.remove(&name);
    }
    to_objects.down();
    let _tracker = cluster.tracker();
    wait_until("the tracker has looked again and again", || {
        assert_eq!(api.row(&id)["state"], "rendering");
        let log = std::fs::read_to_string(cluster.home().log());
        log.unwrap()
            .matches("can't look at a stored picture")
            .count()
            > 2
    });
    to_objects.back();
    api.wait_until_state(&id, "done");
    api.picture(&id);
}

/// Defect 33: a picture that took longer than the broker waits for an acknowledgement was rendered again without end.
#[test]
fn a_render_longer_than_the_broker_s_time_out_is_done_once() {
    const TIMEOUT: u64 = 3;
    let broker = Broker::start_with(
        &format!("consumer_timeout = {TIMEOUT}000\n"),
        "[{rabbit, [{channel_tick_interval, 500}]}].\n",
    );
    let own = Own::new(broker, "?ack_early=1");
    let api = own.cluster.api(&[]);
    let flags = ["--slots", "1", "--threads", "1"];
    let _workers = [
        own.cluster.worker(&[&api], &flags),
        own.cluster.worker(&[&api], &flags),
    ];
    let id = api.create(&recipe::long());
    api.wait_until_state(&id, "rendering");
    let (begun, mut progress) = (Instant::now(), 0.0);
    while begun.elapsed() < Duration::from_secs(2 * TIMEOUT + 3) {
        let row = api.row(&id);
        let now = row["progress"].as_f64().unwrap();
        // A second render would begin at 0.
        assert!(now >= progress && row["attempt"] == 1, "{progress}, {row}");
        progress = now;
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(progress > 0.0);
    api.delete(&id);
}
