//! Waiting for fractals: the rows are the truth and are asked for again and again, events only say when to ask.

use super::{Client, ClientError, Notice, subscribe};
use crate::output;
use faafo_model::fractal::FractalJson;
use faafo_model::message::Change;
use faafo_model::{Event, Uuid};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// How long a service may be away before waiting is given up.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two rounds of questions.
const ROUND: Duration = Duration::from_millis(1500);
/// The most fractals asked about in a round; the others have their turn in the next.
const MOST_A_ROUND: usize = 200;

/// Something new about a fractal that is waited for.
#[derive(Debug)]
pub struct Update {
    /// What it is now, and how far.
    pub event: Event,
    /// Its row, where it was asked for.
    pub row: Option<FractalJson>,
}

impl Update {
    /// Whether nothing more will happen to it.
    pub fn is_final(&self) -> bool {
        match self.event.change {
            Change::State(state) => state.is_final(),
            Change::Deleted(_) => true,
            Change::Stop(_) => false,
        }
    }
}

/// Whoever wants to know.
pub trait Follower {
    /// Takes something new. Every fractal gets exactly one final update, with its row unless it was deleted.
    fn update(&mut self, update: &Update) -> anyhow::Result<()>;

    /// Tells people about something that is no result.
    fn note(&mut self, text: &str) {
        output::note(text);
    }
}

/// Waits until nothing more happens to any of these fractals.
///
/// # Errors
/// The service is away for longer than [`PATIENCE`] or refuses, or the follower's error.
pub async fn follow(
    client: &Client,
    ids: &[Uuid],
    follower: &mut impl Follower,
) -> anyhow::Result<()> {
    let mut waiting = Waiting::new(client, ids);
    let mut notices = subscribe(client);
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !waiting.last.is_empty() {
        tokio::select! {
            _ = rounds.tick() => waiting.ask_round(follower).await?,
            Some(notice) = notices.recv() => {
                if let Notice::Event(event) = notice {
                    waiting.hint(event, follower).await?;
                }
            }
        }
    }
    Ok(())
}

struct Waiting<'a> {
    client: &'a Client,
    /// Who is asked about next.
    turns: VecDeque<Uuid>,
    /// What was last said about those that are not final.
    last: HashMap<Uuid, Option<Event>>,
    away_since: Option<Instant>,
}

impl<'a> Waiting<'a> {
    fn new(client: &'a Client, ids: &[Uuid]) -> Self {
        let mut last = HashMap::new();
        let mut turns = VecDeque::new();
        for id in ids {
            if last.insert(*id, None).is_none() {
                turns.push_back(*id);
            }
        }
        Self {
            client,
            turns,
            last,
            away_since: None,
        }
    }

    async fn ask_round(&mut self, follower: &mut impl Follower) -> anyhow::Result<()> {
        for _ in 0..self.turns.len().min(MOST_A_ROUND) {
            let Some(id) = self.turns.pop_front() else {
                break;
            };
            if !self.last.contains_key(&id) {
                continue;
            }
            self.turns.push_back(id);
            if !self.ask(id, follower).await? {
                break;
            }
        }
        Ok(())
    }

    async fn hint(&mut self, event: Event, follower: &mut impl Follower) -> anyhow::Result<()> {
        if !self.last.contains_key(&event.id) {
            return Ok(());
        }
        let update = Update { event, row: None };
        if update.is_final() {
            let id = update.event.id;
            self.ask(id, follower).await?;
            return Ok(());
        }
        self.tell(update, follower)
    }

    /// Asks for a row; false if the service is away for now.
    async fn ask(&mut self, id: Uuid, follower: &mut impl Follower) -> anyhow::Result<bool> {
        let update = match self.client.fractal(id).await {
            Ok(row) => Update {
                event: Event::state(id, row.state, row.progress),
                row: Some(row),
            },
            Err(ClientError::NotFound(_)) => Update {
                event: Event::deleted(id),
                row: None,
            },
            Err(error) if error.is_transient() => {
                let since = *self.away_since.get_or_insert_with(|| {
                    follower.note(&format!("faafo: {error}; trying again for a minute"));
                    Instant::now()
                });
                if since.elapsed() > PATIENCE {
                    return Err(error.into());
                }
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        if self.away_since.take().is_some() {
            follower.note("faafo: the service is back");
        }
        self.tell(update, follower)?;
        Ok(true)
    }

    fn tell(&mut self, update: Update, follower: &mut impl Follower) -> anyhow::Result<()> {
        let id = update.event.id;
        if update.is_final() {
            if self.last.remove(&id).is_none() {
                return Ok(());
            }
        } else if let Some(last) = self.last.get_mut(&id) {
            if last.as_ref() == Some(&update.event) {
                return Ok(());
            }
            *last = Some(update.event.clone());
        } else {
            return Ok(());
        }
        follower.update(&update)
    }
}
