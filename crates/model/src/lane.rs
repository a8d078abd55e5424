//! Lanes of tasks.

use crate::Part;

/// What a task waits in. No lane waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// What somebody has moved forward, whatever it is.
    Interactive,
    /// Fractals, and posters to be planned or joined: short work, for which one poster does not wait behind another
    /// one's bands.
    Batch,
    /// Bands, of which a single poster has hundreds: nobody's picture waits until another one's are done.
    Bands,
    /// What a worker took and came back without a result or a word: it may be what kills workers. A process has one of
    /// these at most in its hands, so that those beside it don't share its fate and its blame. Brokers put tasks here;
    /// publish them with one of the others.
    Quarantine,
}

impl Lane {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 4] = [
        Self::Interactive,
        Self::Batch,
        Self::Bands,
        Self::Quarantine,
    ];

    /// How many tasks of this lane a process may have in its hands that wants `wanted` of each.
    pub fn share(self, wanted: u16) -> u16 {
        match self {
            Self::Interactive | Self::Batch | Self::Bands => wanted,
            Self::Quarantine => wanted.min(1),
        }
    }

    /// The lane of a task of that priority; only a broker puts any into quarantine.
    pub fn of(part: Part, priority: i64) -> Self {
        match part {
            _ if priority > 0 => Self::Interactive,
            Part::Band { .. } => Self::Bands,
            Part::Whole | Part::Plan { .. } | Part::Join { .. } => Self::Batch,
        }
    }

    /// Its name, as the database and the metrics spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Batch => "batch",
            Self::Bands => "bands",
            Self::Quarantine => "quarantine",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlobKey, Uuid};

    const BAND: Part = Part::Band {
        poster: Uuid::nil(),
        first: 0,
        rows: 1,
    };

    #[test]
    fn only_bands_wait_in_the_lane_of_bands() {
        let manifest = BlobKey([0; 32]);
        let plan = Part::Plan { band_area: 1 };
        let others = [Part::Whole, plan, Part::Join { manifest }];
        for priority in [0, -100] {
            assert_eq!(Lane::of(BAND, priority), Lane::Bands);
            let lanes = others.map(|part| Lane::of(part, priority));
            assert_eq!(lanes, [Lane::Batch; 3]);
        }
    }

    #[test]
    fn what_is_moved_forward_overtakes_whatever_it_is() {
        for part in [Part::Whole, BAND] {
            assert_eq!(Lane::of(part, 1), Lane::Interactive);
        }
    }
}
