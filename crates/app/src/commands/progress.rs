//! Showing people on stderr how far the fractals are that a command waits for.

use crate::client::{Follower, Update};
use crate::output;
use faafo_model::fractal::FractalJson;
use faafo_model::message::Change;
use faafo_model::{State, Uuid};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::Duration;

/// Steps of the bar for each fractal.
const STEPS: f64 = 1000.0;
/// The most failures that are told in full.
const MOST_TOLD: usize = 3;

/// A bar on a terminal; elsewhere a line for each change of state.
pub struct Progress<F> {
    bar: Option<ProgressBar>,
    reached: HashMap<Uuid, (Change, f64)>,
    finished: usize,
    total: usize,
    failures: Vec<String>,
    on_final: F,
}

impl<F: FnMut(&FractalJson) -> anyhow::Result<()>> Progress<F> {
    /// Shows the progress of that many fractals, and hands over the row of each that has become final.
    pub fn new(total: usize, on_final: F) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total as u64 * STEPS as u64);
            let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}  {elapsed}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            reached: HashMap::new(),
            finished: 0,
            total,
            failures: Vec::new(),
            on_final,
        }
    }

    /// Puts the bar away.
    ///
    /// # Errors
    /// Not every fractal has become a picture; names those that did not, and why.
    pub fn finish(self) -> anyhow::Result<()> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let failed = self.failures.len();
        if failed == 0 {
            return Ok(());
        }
        let mut told = self.failures;
        told.truncate(MOST_TOLD);
        if failed > MOST_TOLD {
            told.push("…".to_owned());
        }
        anyhow::bail!(
            "{failed} of {} fractals came to nothing: {}",
            self.total,
            told.join("; ")
        )
    }

    /// How long this one still takes, where that is known.
    fn left(&self, update: &Update) -> String {
        let eta = update.event.eta.filter(|_| !update.is_final());
        eta.map_or_else(String::new, |seconds| {
            format!(
                "  {} left",
                HumanDuration(Duration::from_secs_f64(seconds.clamp(0.0, 1e9)))
            )
        })
    }

    fn show(&self, update: &Update, word: &str) {
        let Some(bar) = &self.bar else {
            let id = update.event.id;
            output::note(&format!("{id} {word} ({}/{})", self.finished, self.total));
            return;
        };
        let reached: f64 = self.reached.values().map(|(_, progress)| progress).sum();
        bar.set_position((reached * STEPS) as u64);
        let left = self.left(update);
        bar.set_message(format!("{}/{}{left}", self.finished, self.total));
    }
}

impl<F: FnMut(&FractalJson) -> anyhow::Result<()>> Follower for Progress<F> {
    fn update(&mut self, update: &Update) -> anyhow::Result<()> {
        let event = &update.event;
        let is_final = update.is_final();
        let progress = if is_final {
            1.0
        } else {
            event.progress.clamp(0.0, 1.0)
        };
        let before = self.reached.insert(event.id, (event.change, progress));
        self.finished += usize::from(is_final);
        let word = match event.change {
            Change::State(state) => state.name(),
            Change::Deleted(_) => "deleted",
            Change::Stop(_) => "stop",
        };
        if is_final && event.change != Change::State(State::Done) {
            let error = update.row.as_ref().and_then(|row| row.error.as_deref());
            let reason = error.map(|error| format!(": {error}")).unwrap_or_default();
            self.failures.push(format!("{} {word}{reason}", event.id));
        }
        let changed = before.is_none_or(|(change, _)| change != event.change);
        if self.bar.is_some() || changed {
            self.show(update, word);
        }
        match &update.row {
            Some(row) if is_final => (self.on_final)(row),
            _ => Ok(()),
        }
    }

    fn note(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::note(text)),
            None => output::note(text),
        }
    }
}
