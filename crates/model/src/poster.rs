//! Posters: fractals so large that they are rendered in bands, by all workers together.

use crate::{BlobKey, Recipe, Uuid};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a poster's progress is when all bands are done and none is joined.
pub const BANDS_SHARE: f64 = 0.97;

/// Which part of a fractal a task is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// Where to cut it into bands of at most `band_area` pixels, and a first idea of what it will look like.
    Plan {
        /// Pixels.
        band_area: u64,
    },
    /// One band. The task's id is the band's; events speak of the poster only.
    Band {
        /// The poster.
        poster: Uuid,
        /// Its first row.
        first: u32,
        /// Its number of rows.
        rows: u32,
    },
    /// Make the picture of the bands that this [`Manifest`] names.
    Join {
        /// The manifest's blob.
        manifest: BlobKey,
    },
}

impl Part {
    /// Whether it is the whole, which messages don't mention.
    pub fn is_whole(&self) -> bool {
        *self == Self::Whole
    }

    /// Its name, for people who look at logs and traces.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Plan { .. } => "plan",
            Self::Band { .. } => "band",
            Self::Join { .. } => "join",
        }
    }

    /// Pixels of the recipe that the part renders.
    pub fn pixels(&self, recipe: &Recipe) -> u64 {
        let rows = match self {
            Self::Whole => recipe.height,
            Self::Band { rows, .. } => *rows,
            Self::Plan { .. } | Self::Join { .. } => 0,
        };
        u64::from(recipe.width) * u64::from(rows)
    }
}

/// The bands' fragments in the order of their rows; stored as JSON in a blob, because it may be long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Seconds from the plan to the last band.
    pub duration: f64,
    /// The bands, from top to bottom.
    pub bands: Vec<Fragment>,
}

/// A stored band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// Its number of rows.
    pub rows: u32,
    /// Its blob.
    pub key: BlobKey,
    /// Length of the blob, in bytes.
    pub size: u64,
}

impl Manifest {
    /// Each fragment with its rows.
    pub fn fragments(&self) -> impl Iterator<Item = (Range<u32>, Fragment)> {
        self.bands.iter().scan(0u32, |row, band| {
            let first = *row;
            *row = first.saturating_add(band.rows);
            Some((first..*row, *band))
        })
    }
}

/// A band as it is planned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "(u32, f32)", into = "(u32, f32)")]
pub struct PlannedBand {
    /// Its number of rows.
    pub rows: u32,
    /// Seconds that one core will take, about.
    pub work: f32,
}

impl From<(u32, f32)> for PlannedBand {
    fn from((rows, work): (u32, f32)) -> Self {
        Self { rows, work }
    }
}

impl From<PlannedBand> for (u32, f32) {
    fn from(band: PlannedBand) -> Self {
        (band.rows, band.work)
    }
}

/// How a poster's bands stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bands {
    /// How many there are.
    pub total: u64,
    /// How many are stored.
    pub done: u64,
    /// How many are being rendered.
    pub rendering: u64,
    /// How often one was begun again.
    pub again: u64,
}
