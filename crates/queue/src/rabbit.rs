//! RabbitMQ, 3.10 and later. One task connects, declares, consumes and begins anew when anything breaks
//! (`supervise.rs`); the calls below wait for its connection, publishers not for long.
//!
//! Tasks are in one queue for each lane, because quorum queues had no priorities before RabbitMQ 4. The broker itself
//! moves what comes back: first to the queue of those that are rendered alone, in the end to the dead letters.

mod address;
mod connect;
mod dead;
mod events;
mod fill;
mod inbox;
mod names;
mod publish;
mod pump;
mod session;
mod supervise;
mod suspects;
mod topology;
mod trouble;

use crate::{Delivery, Error, Queue, QueueDepth};
use address::Address;
use async_trait::async_trait;
use faafo_model::Lane;
use faafo_model::{Event, Report, Task};
use inbox::Inbox;
use names::Names;
use publish::Message;
use session::Session;
use std::sync::Arc;
use std::time::Duration;
use suspects::Suspects;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long a publisher waits for a connection and the broker's confirmation together.
const PUBLISH: Duration = Duration::from_secs(10);
/// How long the broker may take for any other answer.
const ANSWER: Duration = Duration::from_secs(5);
/// A queue that has failed for so long is not only coming into being.
const PATIENCE: Duration = Duration::from_secs(10);
/// Events that wait for the broker, or for a slow subscriber; then the oldest go.
const EVENTS: usize = 4_096;

/// The queue at a RabbitMQ.
pub(crate) struct Rabbit {
    shared: Arc<Shared>,
    outgoing: broadcast::Sender<Event>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

/// What outlives a connection.
struct Shared {
    address: Address,
    names: Names,
    state: watch::Sender<State>,
    interactive: Arc<Inbox<Task>>,
    batch: Arc<Inbox<Task>>,
    bands: Arc<Inbox<Task>>,
    quarantine: Arc<Inbox<Task>>,
    reports: Arc<Inbox<Report>>,
    incoming: broadcast::Sender<Event>,
    suspects: Suspects,
}

impl Shared {
    fn tasks(&self, lane: Lane) -> &Arc<Inbox<Task>> {
        match lane {
            Lane::Interactive => &self.interactive,
            Lane::Batch => &self.batch,
            Lane::Bands => &self.bands,
            Lane::Quarantine => &self.quarantine,
        }
    }
}

/// How it stands with the broker.
enum State {
    /// Why there is no connection.
    Down(String),
    Up(Arc<Session>),
    Closed,
}

impl Rabbit {
    pub(crate) fn open(url: &str) -> Result<Self, Error> {
        let address = Address::parse(url)?;
        let runtime = Handle::try_current().map_err(|error| Error::failed(error.to_string()))?;
        let shared = Arc::new(Shared {
            names: Names::new(&address.prefix),
            address,
            state: watch::Sender::new(State::Down("not connected yet".into())),
            interactive: Inbox::new(),
            batch: Inbox::new(),
            bands: Inbox::new(),
            quarantine: Inbox::new(),
            reports: Inbox::new(),
            incoming: broadcast::Sender::new(EVENTS),
            suspects: Suspects::new(PATIENCE),
        });
        let (outgoing, events) = broadcast::channel(EVENTS);
        let stop = CancellationToken::new();
        runtime.spawn(supervise::supervise(
            Arc::clone(&shared),
            events,
            stop.clone(),
        ));
        Ok(Self {
            shared,
            outgoing,
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        })
    }

    /// The connection, as soon as there is one, or why there was none in time.
    async fn session(&self, deadline: Instant) -> Result<Arc<Session>, Error> {
        let mut state = self.shared.state.subscribe();
        let settled = state.wait_for(|state| match state {
            State::Down(_) => false,
            // Else it is broken, and the supervisor is about to notice.
            State::Up(session) => session.can_publish(),
            State::Closed => true,
        });
        match timeout_at(deadline, settled).await {
            Ok(Ok(state)) => match &*state {
                State::Up(session) => return Ok(Arc::clone(session)),
                _ => return Err(Error::failed("closed")),
            },
            Ok(Err(_)) => return Err(Error::failed("closed")),
            Err(_) => {}
        }
        Err(match &*self.shared.state.borrow() {
            State::Down(trouble) => Error::failed(format!("no connection to RabbitMQ: {trouble}")),
            _ => Error::failed("no connection to RabbitMQ"),
        })
    }

    async fn publish(&self, message: serde_json::Result<Message>) -> Result<(), Error> {
        let message = message.map_err(|error| Error::failed(error.to_string()))?;
        let deadline = Instant::now() + PUBLISH;
        let session = self.session(deadline).await?;
        // In a task of its own: lapin keeps every confirmation for ever that its caller stopped waiting for.
        let publishing = tokio::spawn(async move { session.publish(message, deadline).await });
        match publishing.await {
            Ok(published) => published.map_err(Error::failed),
            Err(panic) => Err(Error::failed(panic.to_string())),
        }
    }
}

#[async_trait]
impl Queue for Rabbit {
    async fn publish_task(&self, task: &Task, lane: Lane) -> Result<(), Error> {
        let (exchange, key) = (self.shared.names.tasks(), names::routing_key(lane));
        self.publish(Message::new(exchange, key, "task", Some(task.id), task))
            .await
    }

    // The broker keeps on disk what does not fit into its memory.
    fn has_room(&self, _lane: Lane, _tasks: usize) -> bool {
        true
    }

    fn consume_tasks(&self, prefetch: u16) {
        for lane in Lane::ALL {
            self.shared.tasks(lane).ask(lane.share(prefetch));
        }
    }

    async fn next_task(&self, lane: Lane) -> Result<Delivery<Task>, Error> {
        let mut next = self.shared.tasks(lane).next(1).await;
        next.pop().ok_or_else(|| Error::failed("no task"))
    }

    async fn publish_report(&self, report: &Report) -> Result<(), Error> {
        let exchange = self.shared.names.results();
        let (kind, about) = match report {
            Report::Task(report) => ("report", Some(report.id)),
            Report::Presence(_) => ("presence", None),
        };
        self.publish(Message::new(exchange, names::REPORT, kind, about, report))
            .await
    }

    fn consume_reports(&self, prefetch: u16) {
        self.shared.reports.ask(prefetch);
    }

    async fn next_reports(&self, limit: usize) -> Result<Vec<Delivery<Report>>, Error> {
        Ok(self.shared.reports.next(limit.max(1)).await)
    }

    fn publish_event(&self, event: Event) {
        // An error says that the queue is closed.
        let _ = self.outgoing.send(event);
    }

    fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.shared.incoming.subscribe()
    }

    fn forgets(&self) -> bool {
        false
    }

    async fn depth(&self) -> Option<QueueDepth> {
        let session = self.session(Instant::now()).await.ok()?;
        match timeout(ANSWER, session.depth(&self.shared)).await {
            Ok(Ok(depth)) => Some(depth),
            Ok(Err(error)) => {
                tracing::debug!(%error, "can't look at the queues");
                None
            }
            Err(_) => None,
        }
    }

    async fn ping(&self) -> Result<(), Error> {
        let session = self.session(Instant::now()).await?;
        match timeout(ANSWER, session.ping()).await {
            Ok(answer) => answer.map_err(|error| Error::failed(error.to_string())),
            Err(_) => Err(Error::failed("RabbitMQ does not answer")),
        }
    }

    async fn close(&self) {
        self.stop.cancel();
        let mut state = self.shared.state.subscribe();
        let closed = state.wait_for(|state| matches!(state, State::Closed));
        let _ = timeout(ANSWER, closed).await;
    }
}
