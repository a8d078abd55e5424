//! What RabbitMQ's queue promises beyond the others: it survives what happens to networks and brokers.

use super::node::{CONSUMER_TIMEOUT, Node};
use super::proxy::Proxy;
use super::{LANES, Place, QueueDepth, SOON, next, no_task, report, task, until_depth};
use faafo_model::Lane::{self, Bands, Batch, Interactive, Quarantine};
use faafo_model::{Event, Report, State, TaskResult, Uuid};
use faafo_queue::{Error, Queue, open};
use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep, timeout};

const ONE_TASK: QueueDepth = QueueDepth {
    tasks: 1,
    reports: 0,
    dead: 0,
};

/// Until the queue is connected.
async fn up(queue: &dyn Queue) {
    for _ in 0..200 {
        if queue.ping().await.is_ok() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("no connection within 10 s");
}

/// Why the queue is not connected, once it has tried.
async fn trouble(queue: &dyn Queue) -> Error {
    for _ in 0..200 {
        match queue.ping().await {
            Err(error) if !error.to_string().contains("not connected yet") => return error,
            _ => sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("no error within 10 s");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_published_before_the_first_worker_ever_started_arrives() {
    let place = Place::new().await;
    let api = place.open();
    api.publish_task(&task(1), Batch).await.unwrap();
    api.close().await;
    let worker = place.open();
    worker.consume_tasks(1);
    next(&*worker, Batch).await.ack();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_worker_gets_work_at_once() {
    let place = Place::new().await;
    let [first, second] = [place.open(), place.open()];
    first.consume_tasks(2);
    for number in 0..20 {
        for lane in [Batch, Bands] {
            first.publish_task(&task(number), lane).await.unwrap();
        }
    }
    // The first has two of each in its hands.
    let waiting = QueueDepth {
        tasks: 36,
        ..QueueDepth::default()
    };
    until_depth(&*first, waiting).await;
    up(&*second).await;
    let begun = Instant::now();
    second.consume_tasks(2);
    let mut hands = Vec::new();
    for lane in [Batch, Batch, Bands, Bands] {
        hands.push(next(&*second, lane).await);
    }
    assert!(begun.elapsed() < Duration::from_secs(1));
    drop(hands);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_worker_hands_back_what_nobody_has_taken() {
    let place = Place::new().await;
    let [first, second] = [place.open(), place.open()];
    for lane in [Batch, Bands] {
        first.consume_tasks(3);
        for number in 0..3 {
            first.publish_task(&task(number), lane).await.unwrap();
        }
        let taken = next(&*first, lane).await;
        first.consume_tasks(0);
        second.consume_tasks(3);
        for _ in 0..2 {
            next(&*second, Quarantine).await.ack();
        }
        no_task(&*second).await;
        no_task(&*first).await;
        drop(taken);
        next(&*second, Quarantine).await.ack();
        second.consume_tasks(0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_acknowledgement_arrives_before_the_end() {
    let place = Place::new().await;
    let [worker, other] = [place.open(), place.open()];
    for round in 0..10 {
        let worker = if round == 0 {
            worker.clone()
        } else {
            place.open()
        };
        worker.publish_task(&task(round), Batch).await.unwrap();
        worker.consume_tasks(1);
        next(&*worker, Batch).await.ack();
        worker.close().await;
    }
    other.consume_tasks(1);
    no_task(&*other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_workers_task_is_redelivered_within_5_s() {
    let place = Place::new().await;
    let proxy = Proxy::start(place.host()).await;
    let (killed, other) = (place.open_through(&proxy.address.to_string()), place.open());
    killed.consume_tasks(1);
    other.publish_task(&task(1), Batch).await.unwrap();
    let lost = next(&*killed, Batch).await;
    other.consume_tasks(1);
    drop(proxy);
    let again = timeout(Duration::from_secs(5), other.next_task(Quarantine)).await;
    assert_eq!(*again.unwrap().unwrap(), *lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_from_before_the_cut_does_no_harm() {
    let place = Place::new().await;
    let proxy = Proxy::start(place.host()).await;
    let queue = place.open_through(&proxy.address.to_string());
    queue.consume_tasks(1);
    queue.publish_task(&task(1), Batch).await.unwrap();
    let old = next(&*queue, Batch).await;
    assert!(old.is_ours());
    proxy.cut();
    let again = next(&*queue, Quarantine).await;
    assert_eq!(*again, *old);
    assert!(again.is_ours() && !old.is_ours());
    // Both have the same number on their channels.
    old.ack();
    up(&*queue).await;
    drop(again);
    next(&*queue, Quarantine).await.ack();
    no_task(&*queue).await;
    assert_eq!(queue.depth().await, Some(QueueDepth::default()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_and_events_flow_again_after_a_cut() {
    let place = Place::new().await;
    let proxy = Proxy::start(place.host()).await;
    let (queue, other) = (place.open_through(&proxy.address.to_string()), place.open());
    queue.consume_reports(10);
    let mut events = queue.subscribe();
    up(&*queue).await;
    up(&*other).await;
    proxy.cut();
    other.publish_report(&report(1)).await.unwrap();
    let reports = timeout(Duration::from_secs(5), queue.next_reports(5)).await;
    assert_eq!(*reports.unwrap().unwrap()[0], report(1));
    up(&*queue).await;
    let event = Event::state(Uuid::nil(), State::Done, 1.0);
    other.publish_event(event.clone());
    let heard = timeout(Duration::from_secs(5), events.recv()).await;
    assert_eq!(heard.unwrap().unwrap(), event);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_reaches_every_process_once() {
    let place = Place::new().await;
    let [one, other] = [place.open(), place.open()];
    let mut subscribers = [one.subscribe(), other.subscribe()];
    up(&*other).await;
    // Whether it is connected already or not.
    one.publish_event(Event::deleted(Uuid::nil()));
    for subscriber in &mut subscribers {
        let heard = timeout(Duration::from_secs(5), subscriber.recv()).await;
        assert_eq!(heard.unwrap().unwrap(), Event::deleted(Uuid::nil()));
        assert!(timeout(SOON, subscriber.recv()).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_between_publishing_and_its_confirmation_is_an_error_and_heals() {
    let place = Place::new().await;
    let proxy = Proxy::start(place.host()).await;
    let (queue, other) = (place.open_through(&proxy.address.to_string()), place.open());
    up(&*queue).await;
    proxy.stall_answers();
    let publishing = tokio::spawn({
        let queue = queue.clone();
        async move { queue.publish_task(&task(1), Batch).await }
    });
    until_depth(&*other, ONE_TASK).await;
    assert!(!publishing.is_finished(), "nothing has confirmed it");
    proxy.cut();
    let published = timeout(Duration::from_secs(2), publishing).await;
    published.unwrap().unwrap().unwrap_err();
    queue.publish_task(&task(2), Batch).await.unwrap();
    other.consume_tasks(2);
    assert_eq!(*next(&*other, Batch).await, task(1));
    assert_eq!(*next(&*other, Batch).await, task(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_fell_silent_is_given_up_within_25_s() {
    let place = Place::new().await;
    let proxy = Proxy::start(place.host()).await;
    let (queue, other) = (place.open_through(&proxy.address.to_string()), place.open());
    up(&*queue).await;
    let begun = Instant::now();
    proxy.stall();
    let published = queue.publish_task(&task(1), Batch).await;
    assert!(begun.elapsed() < Duration::from_secs(12), "{published:?}");
    published.unwrap_err();
    while queue.ping().await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(27));
        sleep(Duration::from_millis(100)).await;
    }
    queue.publish_task(&task(2), Batch).await.unwrap();
    other.consume_tasks(1);
    assert_eq!(*next(&*other, Batch).await, task(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_may_come_last() {
    let place = Place::new().await;
    let free = Proxy::start(place.host()).await;
    let address = free.address;
    drop(free);
    let queue = place.open_through(&address.to_string());
    queue.consume_tasks(1);
    let error = trouble(&*queue).await;
    assert!(
        !error.is_config && error.to_string().contains("RabbitMQ"),
        "{error}"
    );
    let task = task(1);
    let published = queue.publish_task(&task, Batch);
    let (published, _proxy) = tokio::join!(published, async {
        sleep(Duration::from_millis(500)).await;
        Proxy::start_at(address, place.host()).await
    });
    published.unwrap();
    assert_eq!(*next(&*queue, Batch).await, task);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_publishing_fails_in_time_and_says_why() {
    let queue = open("amqp://me:secret@127.0.0.1:1").unwrap();
    let begun = Instant::now();
    let error = queue.publish_report(&report(1)).await.unwrap_err();
    assert!((9..12).contains(&begun.elapsed().as_secs()));
    assert!(error.to_string().contains("refused"), "{error}");
    assert_eq!(queue.depth().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_host_is_tried_when_one_is_away() {
    let place = Place::new().await;
    let queue = place.open_through(&format!("127.0.0.1:1,{}", place.host()));
    queue.publish_task(&task(1), Batch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_said_but_not_shown() {
    let place = Place::new().await;
    let queue = open(&place.with_password("s3cret")).unwrap();
    let error = trouble(&*queue).await;
    assert!(error.to_string().contains("ACCESS"), "{error}");
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_with_other_settings_is_explained_and_heals_when_it_is_gone() {
    let place = Place::new().await;
    let name = place.name("faafo.tasks.batch");
    let channel = place.channel().await;
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(name.as_str().into(), durable, FieldTable::default())
        .await
        .unwrap();
    let queue = place.open();
    let error = trouble(&*queue).await.to_string();
    assert!(
        error.contains(&name) && error.contains("delete it"),
        "{error}"
    );
    channel
        .queue_delete(name.into(), QueueDeleteOptions::default())
        .await
        .unwrap();
    queue.publish_task(&task(1), Batch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_deleted_under_our_feet_is_declared_again() {
    let place = Place::new().await;
    let queue = place.open();
    up(&*queue).await;
    let name = place.name("faafo.tasks.batch");
    place
        .channel()
        .await
        .queue_delete(name.into(), QueueDeleteOptions::default())
        .await
        .unwrap();
    // The first may come back, because there is no queue for it.
    while queue.publish_task(&task(1), Batch).await.is_err() {}
    queue.consume_tasks(1);
    next(&*queue, Batch).await.ack();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_everybody_drops_becomes_a_dead_letter() {
    let place = Place::new().await;
    let queue = place.open();
    queue.consume_tasks(1);
    for (lane, dead) in LANES.into_iter().zip(1..) {
        queue.publish_task(&task(1), lane).await.unwrap();
        let mut drops = 0;
        drop(next(&*queue, lane).await);
        while let Ok(task) = timeout(SOON, queue.next_task(Quarantine)).await {
            drop(task.unwrap());
            drops += 1;
            assert!(drops < 50, "it circles for ever");
        }
        assert_eq!(1 + drops, 5, "{lane:?}");
        let dead = QueueDepth {
            dead,
            reports: 0,
            tasks: 0,
        };
        until_depth(&*queue, dead).await;
        let result = result_of(&*queue, 1).await;
        let TaskResult::Failed { reason } = &result else {
            panic!("{result:?}");
        };
        assert!(reason.contains("5 attempts"), "{reason}");
    }
}

/// What is reported next, and about this task.
async fn result_of(queue: &dyn Queue, number: u32) -> TaskResult {
    queue.consume_reports(5);
    let reports = timeout(Duration::from_secs(5), queue.next_reports(5)).await;
    let mut reports = reports.unwrap().unwrap();
    let delivery = reports.remove(0);
    let Report::Task(report) = &*delivery else {
        panic!("{:?}", *delivery);
    };
    assert_eq!((report.id, report.attempt), (task(number).id, 1));
    let result = report.result.clone();
    delivery.ack();
    assert!(reports.is_empty());
    result
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_has_one_task_at_most_that_came_back() {
    let place = Place::new().await;
    let [first, second] = [place.open(), place.open()];
    first.consume_tasks(3);
    let mut hands = Vec::new();
    for (number, lane) in (0..).zip(LANES) {
        first.publish_task(&task(number), lane).await.unwrap();
        hands.push(next(&*first, lane).await);
    }
    drop(hands);
    let alone = next(&*first, Quarantine).await;
    no_task(&*first).await;
    second.consume_tasks(3);
    let other = next(&*second, Quarantine).await;
    assert_ne!(*alone, *other);
    no_task(&*second).await;
    drop(alone);
    // It has still done nothing wrong but come back.
    next(&*first, Quarantine).await.ack();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_can_not_be_recorded_comes_again_and_again() {
    let place = Place::new().await;
    let queue = place.open();
    queue.consume_reports(1);
    queue.publish_report(&report(1)).await.unwrap();
    for _ in 0..50 {
        let reports = timeout(Duration::from_secs(5), queue.next_reports(1)).await;
        drop(reports.unwrap().unwrap());
    }
    assert_eq!(queue.depth().await.unwrap().dead, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_message_becomes_a_dead_letter_and_blocks_nobody() {
    let place = Place::new().await;
    let queue = place.open();
    queue.consume_tasks(1);
    up(&*queue).await;
    let (exchange, options) = (place.name("faafo.tasks"), BasicPublishOptions::default());
    place
        .channel()
        .await
        .basic_publish(
            exchange.into(),
            "batch".into(),
            options,
            b"{\"id\": 7",
            BasicProperties::default(),
        )
        .await
        .unwrap();
    let dead = QueueDepth {
        dead: 1,
        ..QueueDepth::default()
    };
    until_depth(&*queue, dead).await;
    // Nobody knows what it was about.
    queue.consume_reports(1);
    assert!(timeout(SOON, queue.next_reports(1)).await.is_err());
    queue.publish_task(&task(1), Batch).await.unwrap();
    next(&*queue, Batch).await.ack();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_no_worker_can_read_is_reported_as_returned() {
    let place = Place::new().await;
    let queue = place.open();
    queue.consume_tasks(1);
    up(&*queue).await;
    let body = format!(
        "{{\"id\": \"{}\", \"attempt\": 1, \"recipe\": \"of tomorrow\"}}",
        task(1).id
    );
    let (exchange, options) = (place.name("faafo.tasks"), BasicPublishOptions::default());
    let properties = BasicProperties::default().with_type("task".into());
    let channel = place.channel().await;
    channel
        .basic_publish(
            exchange.into(),
            "batch".into(),
            options,
            body.as_bytes(),
            properties,
        )
        .await
        .unwrap();
    let result = result_of(&*queue, 1).await;
    assert!(matches!(result, TaskResult::Returned { .. }), "{result:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_still_has_the_tasks_and_a_wiped_one_gets_its_queues_back() {
    let mut node = block_in_place(Node::start);
    let queue = open(&node.url()).unwrap();
    for number in 0..3 {
        queue.publish_task(&task(number), Batch).await.unwrap();
    }
    block_in_place(|| {
        node.kill();
        node.start_again();
    });
    queue.consume_tasks(1);
    for number in 0..3 {
        let delivery = timeout(Duration::from_secs(30), queue.next_task(Batch)).await;
        let delivery = delivery.unwrap().unwrap();
        assert_eq!(*delivery, task(number));
        delivery.ack();
    }
    block_in_place(|| {
        node.kill();
        node.wipe();
        node.start_again();
    });
    while queue.publish_task(&task(4), Interactive).await.is_err() {}
    assert_eq!(*next(&*queue, Interactive).await, task(4));
}

/// RabbitMQ 3.10 comes back like this when it is killed right after it made a queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_the_broker_only_believes_in_is_made_anew_and_loses_nothing_any_more() {
    let node = block_in_place(Node::start);
    let [worker, one, another] = [(); 3].map(|()| open(&node.url()).unwrap());
    // Its channel has numbered what it sent.
    worker.publish_report(&report(0)).await.unwrap();
    worker.publish_task(&task(0), Batch).await.unwrap();
    block_in_place(|| {
        node.lose_process("faafo.results");
        node.lose_process("faafo.tasks.batch");
    });
    let (sender, mut heard) = mpsc::unbounded_channel();
    for tracker in [&one, &another] {
        tracker.consume_reports(10);
        let (tracker, sender) = (Arc::clone(tracker), sender.clone());
        tokio::spawn(async move {
            while let Ok(reports) = tracker.next_reports(10).await {
                for report in reports {
                    let _ = sender.send((*report).clone());
                    report.ack();
                }
            }
        });
    }
    worker.consume_tasks(1);
    let heal = async {
        for number in 1..40 {
            // What is not confirmed is sent again, by those who send it.
            while worker.publish_report(&report(number)).await.is_err() {}
            while heard.recv().await != Some(report(number)) {}
        }
        while one.publish_task(&task(1), Batch).await.is_err() {}
        worker.next_task(Batch).await.unwrap()
    };
    let healed = timeout(Duration::from_secs(120), heal).await;
    assert_eq!(*healed.expect("it is well within two minutes"), task(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_longer_than_the_brokers_time_out_is_done_once() {
    let node = block_in_place(Node::start);
    let settings = format!("cacertfile={}", node.ca_file().display());
    let [longer, control] = [
        format!("{}?{settings}&ack_early=1", node.tls_url()),
        format!("{}?{settings}&prefix=control.", node.tls_url()),
    ];
    tokio::join!(
        long_work_is_done_once(&longer),
        long_work_comes_again(&control)
    );
    // Also those who don't trust the certificate know why nothing happens.
    let error = trouble(&*open(&node.tls_url()).unwrap()).await.to_string();
    assert!(error.contains("ertificate"), "{error}");
}

async fn long_work_is_done_once(url: &str) {
    let queue = open(url).unwrap();
    queue.consume_tasks(2);
    for number in 0..3 {
        queue.publish_task(&task(number), Batch).await.unwrap();
    }
    let [first, second] = [next(&*queue, Batch).await, next(&*queue, Batch).await];
    // Neither comes again, nor the third before there is somebody for it.
    let long = Duration::from_secs(CONSUMER_TIMEOUT + 4);
    let more = timeout(long, queue.next_task(Batch)).await;
    assert!(more.is_err(), "{:?}", *more.unwrap().unwrap());
    assert_eq!(queue.depth().await, Some(ONE_TASK));
    first.ack();
    let third = next(&*queue, Batch).await;
    assert_eq!(*third, task(2));
    third.ack();
    // There is room for as many as before, and no more.
    for number in 3..6 {
        queue.publish_task(&task(number), Batch).await.unwrap();
    }
    let third = next(&*queue, Batch).await;
    assert_eq!(*third, task(3));
    third.ack();
    drop(second);
    for number in 4..6 {
        let task = next(&*queue, Batch).await;
        assert_eq!(*task, super::task(number));
        task.ack();
    }
    until_depth(&*queue, QueueDepth::default()).await;
}

/// What the early acknowledgement is good for.
async fn long_work_comes_again(url: &str) {
    let queue = open(url).unwrap();
    queue.consume_tasks(1);
    queue.publish_task(&task(1), Lane::Batch).await.unwrap();
    let first = next(&*queue, Batch).await;
    let again = timeout(Duration::from_secs(30), queue.next_task(Quarantine)).await;
    assert_eq!(*again.unwrap().unwrap(), *first);
}
