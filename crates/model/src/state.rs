//! The states of a fractal and the only ways from one to the next.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where a fractal stands. `done`, `failed` and `cancelled` are final unless somebody asks for a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Accepted and waiting for a worker.
    Queued,
    /// A worker has said that it started.
    Rendering,
    /// The picture is stored.
    Done,
    /// Given up, with the reason in `error`.
    Failed,
    /// Withdrawn by somebody before it was done.
    Cancelled,
}

impl State {
    /// Every state, in the order of a fractal's life.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Rendering,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The state's name, as the wire, the database and the command line spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Rendering => "rendering",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    /// The states from which a fractal may come into this one. This table is the only place that says so; the store
    /// builds its conditional updates from it.
    pub fn reached_from(self) -> &'static [State] {
        match self {
            // A task handed back, taken from a dead worker, or retried.
            Self::Queued => &[Self::Queued, Self::Rendering, Self::Failed, Self::Cancelled],
            Self::Rendering => &[Self::Queued, Self::Rendering],
            Self::Done | Self::Failed | Self::Cancelled => &[Self::Queued, Self::Rendering],
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text is no state's name.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a state: queued, rendering, done, failed or cancelled")]
pub struct UnknownState(String);

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_from_done_to_anywhere() {
        assert!(
            State::ALL
                .iter()
                .all(|state| !state.reached_from().contains(&State::Done))
        );
    }

    #[test]
    fn every_name_parses_back() {
        for state in State::ALL {
            assert_eq!(state.name().parse::<State>().unwrap(), state);
        }
    }
}
