//! What every queue promises, run over each back end.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use faafo_model::{Event, Formula, Palette, Recipe, Report, State, Task, TaskResult, Uuid, View};
use faafo_queue::{Queue, open};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

fn task(number: u32) -> Task {
    Task {
        id: Uuid::from_u128(number.into()),
        attempt: 1,
        recipe: Recipe {
            formula: Formula::Mandelbrot,
            view: View {
                xa: -2.0,
                xb: 0.1 + 0.2,
                ya: -1.0,
                yb: 1.0,
            },
            width: number + 1,
            height: 1,
            iterations: 10,
            palette: Palette::Classic,
        },
    }
}

fn report(number: u32) -> Report {
    let result = TaskResult::Rendering { progress: 0.1 };
    Report {
        id: Uuid::from_u128(number.into()),
        attempt: 1,
        worker: "w".into(),
        result,
    }
}

/// Long enough for a message that is there, short enough for one that is not.
const SOON: Duration = Duration::from_millis(300);

async fn tasks_come_in_order_and_once(queue: Arc<dyn Queue>) {
    for number in 0..3 {
        queue.publish_task(&task(number)).await.unwrap();
    }
    for number in 0..3 {
        let delivery = queue.next_task().await.unwrap();
        assert_eq!(*delivery, task(number));
        delivery.ack();
    }
    assert!(timeout(SOON, queue.next_task()).await.is_err());
}

async fn a_task_that_is_dropped_comes_again(queue: Arc<dyn Queue>) {
    queue.publish_task(&task(1)).await.unwrap();
    drop(queue.next_task().await.unwrap());
    let again = timeout(Duration::from_secs(5), queue.next_task())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*again, task(1));
    again.ack();
    assert!(timeout(SOON, queue.next_task()).await.is_err());
}

async fn giving_up_waiting_loses_nothing(queue: Arc<dyn Queue>) {
    for _ in 0..3 {
        assert!(
            timeout(Duration::from_millis(20), queue.next_task())
                .await
                .is_err()
        );
    }
    queue.publish_task(&task(1)).await.unwrap();
    timeout(Duration::from_secs(5), queue.next_task())
        .await
        .unwrap()
        .unwrap()
        .ack();
}

async fn every_task_reaches_exactly_one_of_many_workers(queue: Arc<dyn Queue>) {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..4 {
        let (queue, sender) = (Arc::clone(&queue), sender.clone());
        tokio::spawn(async move {
            while let Ok(delivery) = queue.next_task().await {
                sender.send(delivery.id).unwrap();
                delivery.ack();
            }
        });
    }
    // More than fit at once: publishing waits for room instead of failing.
    for number in 0..3_000 {
        queue.publish_task(&task(number)).await.unwrap();
    }
    let mut seen = std::collections::HashSet::new();
    while seen.len() < 3_000 {
        let id = timeout(Duration::from_secs(20), receiver.recv())
            .await
            .unwrap()
            .unwrap();
        assert!(seen.insert(id), "{id} came twice");
    }
}

async fn reports_come_in_batches_and_again_when_dropped(queue: Arc<dyn Queue>) {
    for number in 0..5 {
        queue.publish_report(&report(number)).await.unwrap();
    }
    let mut seen = 0;
    let first = queue.next_reports(3).await.unwrap();
    assert!((1..=3).contains(&first.len()));
    drop(first);
    while seen < 5 {
        for delivery in timeout(Duration::from_secs(5), queue.next_reports(3))
            .await
            .unwrap()
            .unwrap()
        {
            seen += 1;
            delivery.ack();
        }
    }
    assert!(timeout(SOON, queue.next_reports(1)).await.is_err());
}

async fn every_subscriber_hears_every_event(queue: Arc<dyn Queue>) {
    let event = Event::state(Uuid::nil(), State::Done, 1.0);
    queue.publish_event(event.clone());
    let mut subscribers = [queue.subscribe(), queue.subscribe()];
    queue.publish_event(event.clone());
    for subscriber in &mut subscribers {
        assert_eq!(
            timeout(Duration::from_secs(5), subscriber.recv())
                .await
                .unwrap()
                .unwrap(),
            event
        );
        assert!(timeout(SOON, subscriber.recv()).await.is_err());
    }
}

macro_rules! contract {
    ($name:ident, $url:expr, [$($test:ident),* $(,)?]) => {
        mod $name {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::open($url).unwrap()).await;
            })*
        }
    };
}

contract!(
    memory,
    "memory:",
    [
        tasks_come_in_order_and_once,
        a_task_that_is_dropped_comes_again,
        giving_up_waiting_loses_nothing,
        every_task_reaches_exactly_one_of_many_workers,
        reports_come_in_batches_and_again_when_dropped,
        every_subscriber_hears_every_event,
    ]
);

#[test]
fn an_unknown_transport_is_named() {
    let error = open("carrier-pigeon://coop").err().unwrap();
    assert!(
        error.is_config && error.to_string().contains("carrier-pigeon"),
        "{error}"
    );
}
