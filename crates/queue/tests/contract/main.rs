//! What every queue promises, run over each back end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod broker;
mod node;
mod proxy;
mod rabbit;

use broker::Place;
use faafo_model::Lane;
use faafo_model::Lane::{Bands, Batch, Interactive};
use faafo_model::message::Version;
use faafo_model::{
    Colours, Event, Format, Formula, Palette, Part, Recipe, Report, State, Task, TaskReport,
    TaskResult, Uuid, View,
};
use faafo_queue::{Delivery, Queue, QueueDepth, open};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The lanes that tasks are published to.
const LANES: [Lane; 3] = [Interactive, Batch, Bands];

fn task(number: u32) -> Task {
    Task {
        version: Version,
        id: Uuid::from_u128(number.into()),
        attempt: 1,
        recipe: Recipe {
            formula: Formula::Mandelbrot,
            view: View::rectangle(-2.0, 0.1 + 0.2, -1.0, 1.0),
            width: number + 1,
            height: 1,
            iterations: 10,
            palette: Palette::Classic,
            colours: Colours::default(),
            format: Format::Png,
        },
        part: Part::Whole,
        published_at: None,
    }
}

fn report(number: u32) -> Report {
    let result = TaskResult::Rendering { progress: 0.1 };
    Report::Task(TaskReport {
        id: Uuid::from_u128(number.into()),
        attempt: 1,
        worker: "w".into(),
        result,
    })
}

/// The next task, which must come soon.
async fn next(queue: &dyn Queue, lane: Lane) -> Delivery<Task> {
    let next = timeout(Duration::from_secs(10), queue.next_task(lane)).await;
    next.expect("a task within 10 s").unwrap()
}

/// A task that somebody dropped; a broker sets it apart, a queue inside the process has no need to.
async fn next_again(queue: &dyn Queue, lane: Lane) -> Delivery<Task> {
    tokio::select! {
        task = next(queue, lane) => task,
        task = next(queue, Lane::Quarantine) => task,
    }
}

async fn no_task(queue: &dyn Queue) {
    for lane in Lane::ALL {
        let next = timeout(SOON, queue.next_task(lane)).await;
        assert!(next.is_err(), "there is a {lane:?} task");
    }
}

/// Waits until the queue says so.
async fn until_depth(queue: &dyn Queue, depth: QueueDepth) {
    let mut last = None;
    for _ in 0..200 {
        last = queue.depth().await;
        if last == Some(depth) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{last:?} instead of {depth:?} for 10 s");
}

/// Long enough for a message that is there, short enough for one that is not.
const SOON: Duration = Duration::from_millis(300);

async fn tasks_come_in_order_and_once(queue: Arc<dyn Queue>) {
    queue.consume_tasks(2);
    for lane in LANES {
        for number in 0..3 {
            queue.publish_task(&task(number), lane).await.unwrap();
        }
    }
    for lane in LANES {
        for number in 0..3 {
            let delivery = next(&*queue, lane).await;
            assert_eq!(*delivery, task(number));
            delivery.ack();
        }
    }
    no_task(&*queue).await;
}

async fn a_task_that_is_dropped_comes_again(queue: Arc<dyn Queue>) {
    queue.consume_tasks(1);
    for lane in LANES {
        queue.publish_task(&task(1), lane).await.unwrap();
        drop(next(&*queue, lane).await);
        let again = next_again(&*queue, lane).await;
        assert_eq!(*again, task(1));
        again.ack();
        no_task(&*queue).await;
    }
}

async fn giving_up_waiting_loses_nothing(queue: Arc<dyn Queue>) {
    queue.consume_tasks(1);
    for _ in 0..3 {
        let next = timeout(Duration::from_millis(20), queue.next_task(Batch)).await;
        assert!(next.is_err());
    }
    queue.publish_task(&task(1), Batch).await.unwrap();
    next(&*queue, Batch).await.ack();
}

async fn no_lane_waits_for_another(queue: Arc<dyn Queue>) {
    queue.consume_tasks(1);
    for busy in LANES {
        for number in 0..10 {
            queue.publish_task(&task(number), busy).await.unwrap();
        }
        let held = next(&*queue, busy).await;
        for other in LANES.into_iter().filter(|lane| *lane != busy) {
            queue.publish_task(&task(10), other).await.unwrap();
            let overtaking = next(&*queue, other).await;
            assert_eq!(*overtaking, task(10), "{other:?} beside {busy:?}");
            overtaking.ack();
        }
        held.ack();
        for _ in 1..10 {
            next(&*queue, busy).await.ack();
        }
    }
}

async fn what_there_is_room_for_is_taken_at_once(queue: Arc<dyn Queue>) {
    for lane in LANES {
        let mut published = 0;
        while published < 1_500 && queue.has_room(lane, 100) {
            let tasks: Vec<Task> = (0..100).map(task).collect();
            let publishing = tasks.iter().map(|task| queue.publish_task(task, lane));
            let taken = timeout(Duration::from_secs(10), join_all(publishing)).await;
            for taken in taken.expect("room") {
                taken.unwrap();
            }
            published += 100;
        }
        // Two of a tracker's batches at least, so that there is something to do while it fetches the next.
        assert!(published >= 200, "{published} beside other lanes");
    }
}

async fn every_task_reaches_exactly_one_of_many_workers(queue: Arc<dyn Queue>) {
    queue.consume_tasks(4);
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..4 {
        let (queue, sender) = (Arc::clone(&queue), sender.clone());
        tokio::spawn(async move {
            while let Ok(delivery) = queue.next_task(Batch).await {
                sender.send(delivery.id).unwrap();
                delivery.ack();
            }
        });
    }
    // More than fit at once: publishing waits for room instead of failing.
    for first in (0..3_000).step_by(750) {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move {
            for number in first..first + 750 {
                queue.publish_task(&task(number), Batch).await.unwrap();
            }
        });
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
    queue.consume_reports(100);
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

async fn every_subscriber_hears_every_event_once(queue: Arc<dyn Queue>) {
    let event = Event::state(Uuid::nil(), State::Done, 1.0);
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

async fn the_depth_counts_what_waits(queue: Arc<dyn Queue>) {
    for lane in [Batch, Batch, Interactive, Bands] {
        queue.publish_task(&task(1), lane).await.unwrap();
    }
    for _ in 0..4 {
        queue.publish_report(&report(1)).await.unwrap();
    }
    queue.ping().await.unwrap();
    let mut depth = QueueDepth {
        tasks: 4,
        reports: 4,
        dead: 0,
    };
    until_depth(&*queue, depth).await;
    queue.consume_tasks(1);
    next(&*queue, Interactive).await.ack();
    next(&*queue, Bands).await.ack();
    next(&*queue, Batch).await.ack();
    let held = next(&*queue, Batch).await;
    depth.tasks = 0;
    until_depth(&*queue, depth).await;
    drop(held);
}

/// The suite, once over each back end.
macro_rules! contract {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::open("memory:").unwrap()).await;
            })*
        }
        mod at_rabbitmq {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let place = super::Place::new().await;
                super::$test(place.open()).await;
            })*
        }
    };
}

contract!(
    tasks_come_in_order_and_once,
    a_task_that_is_dropped_comes_again,
    giving_up_waiting_loses_nothing,
    no_lane_waits_for_another,
    what_there_is_room_for_is_taken_at_once,
    every_task_reaches_exactly_one_of_many_workers,
    reports_come_in_batches_and_again_when_dropped,
    every_subscriber_hears_every_event_once,
    the_depth_counts_what_waits,
);

#[test]
fn an_unknown_transport_is_named() {
    let error = open("carrier-pigeon://coop").err().unwrap();
    assert!(
        error.is_config && error.to_string().contains("carrier-pigeon"),
        "{error}"
    );
}
