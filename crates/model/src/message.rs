//! What travels through the queue: tasks to workers, reports back, events to whoever watches. Never pixels.

use crate::{Part, PlannedBand, Recipe, State, Timestamp, Uuid};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The version of messages. A message of a newer one is refused, so that nobody does half of what it asks for; what is
/// older says no version, or is read as what it meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Version;

impl Version {
    /// The newest version that this program knows.
    pub const NEWEST: u32 = 2;
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(Self::NEWEST)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            1..=Self::NEWEST => Ok(Self),
            newer => Err(serde::de::Error::custom(format!(
                "a message of version {newer}; this program knows {}",
                Self::NEWEST
            ))),
        }
    }
}

/// A unit of work: a fractal, or a part of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// In which version the rest is to be read.
    #[serde(default)]
    pub version: Version,
    /// The fractal to render, or the band.
    pub id: Uuid,
    /// Which try this is, from 1; a report with another number than the row's is out of date.
    pub attempt: u32,
    /// What to render.
    pub recipe: Recipe,
    /// Which part of it.
    #[serde(default, skip_serializing_if = "Part::is_whole")]
    pub part: Part,
    /// When it was handed to the queue, if it says so; only for people who look at how long tasks wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
}

impl Task {
    /// The fractal that people know: of a band its poster.
    pub fn fractal(&self) -> Uuid {
        match self.part {
            Part::Band { poster, .. } => poster,
            _ => self.id,
        }
    }
}

/// What a worker says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Report {
    /// About a task.
    Task(TaskReport),
    /// About itself.
    Presence(Presence),
}

/// What a worker says of itself, every few seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Its name, which no other worker has.
    pub name: String,
    /// Its version of faafo.
    pub version: String,
    /// How many cores it renders with.
    pub cores: u32,
    /// The machine it runs on.
    pub host: String,
    /// The fractals it works on at the moment.
    pub current: Vec<Uuid>,
    /// It has stopped: the last that is heard of it.
    pub stopped: bool,
}

/// What a worker says about a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// The fractal or band, as in the task.
    pub id: Uuid,
    /// The try, as in the task.
    pub attempt: u32,
    /// The worker's name.
    pub worker: String,
    /// What happened.
    pub result: TaskResult,
}

/// What happened to a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum TaskResult {
    /// Rendering goes on; sent at the start and every few seconds, which also keeps the lease.
    Rendering {
        /// The part done, 0 to 1.
        progress: f64,
    },
    /// Both blobs are stored.
    Done {
        /// The file that the recipe asks for.
        picture: BlobRef,
        /// A PNG of at most 300 pixels a side.
        thumbnail: BlobRef,
        /// Seconds from taking the task to both blobs stored.
        duration: f64,
    },
    /// A poster is planned.
    Planned {
        /// A first idea of it: a PNG of at most 300 pixels a side.
        preview: BlobRef,
        /// Its bands from top to bottom.
        bands: Vec<PlannedBand>,
    },
    /// A band is stored.
    Band {
        /// Its blocks and its share of the thumbnail, or its numbers.
        fragment: BlobRef,
        /// Seconds from taking the task to the blob stored.
        duration: f64,
    },
    /// It can't be rendered; another try would end the same.
    Failed {
        /// Why, for people.
        reason: String,
    },
    /// Not finished and not to blame: the worker stops, or its storage is away. Somebody else shall try.
    Returned {
        /// Why, for people.
        reason: String,
    },
    /// The worker is of a version that can't read the task. It is unharmed, and waits for another one.
    Unreadable,
}

impl From<TaskReport> for Report {
    fn from(report: TaskReport) -> Self {
        Self::Task(report)
    }
}

/// A stored object: its name and its length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// SHA-256 of the content, which is the object's name.
    pub key: BlobKey,
    /// Length of the content, in bytes.
    pub size: u64,
}

/// The SHA-256 of a blob's content; 64 lower-case hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobKey(pub [u8; 32]);

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no SHA-256 in lower-case hexadecimal.
#[derive(Debug, thiserror::Error)]
#[error("not 64 lower-case hexadecimal digits")]
pub struct BadBlobKey;

impl FromStr for BlobKey {
    type Err = BadBlobKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(BadBlobKey);
        }
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(BadBlobKey),
        };
        let mut key = [0; 32];
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Ok(Self(key))
    }
}

impl Serialize for BlobKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Something changed; for pages and programs that watch. May be lost: the row is the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The fractal.
    #[serde(rename = "uuid")]
    pub id: Uuid,
    /// What it is now.
    pub change: Change,
    /// The part rendered, 0 to 1.
    pub progress: f64,
    /// Of a poster: seconds until its bands are done, as far as that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<f64>,
}

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Change {
    /// The fractal's state, new or unchanged (progress).
    State(State),
    /// The fractal is no more.
    Deleted(Deleted),
    /// Whoever works on the task of this id shall stop: nobody wants what comes of it. For workers only.
    Stop(Stop),
}

/// The word for a fractal that is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deleted {
    /// Its only value.
    #[serde(rename = "deleted")]
    Deleted,
}

/// The word for a task that nobody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stop {
    /// Its only value.
    #[serde(rename = "stop")]
    Stop,
}

impl Event {
    /// The fractal is in this state.
    pub fn state(id: Uuid, state: State, progress: f64) -> Self {
        Self {
            id,
            change: Change::State(state),
            progress,
            eta: None,
        }
    }

    /// The fractal is no more.
    pub fn deleted(id: Uuid) -> Self {
        Self {
            id,
            change: Change::Deleted(Deleted::Deleted),
            progress: 0.0,
            eta: None,
        }
    }

    /// Nobody wants what comes of the task of this id, whoever works on it.
    pub fn stop(task: Uuid) -> Self {
        Self {
            id: task,
            change: Change::Stop(Stop::Stop),
            progress: 0.0,
            eta: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colours, Format, Formula, Palette, View};

    #[test]
    fn a_task_survives_json_bit_for_bit() {
        let task = Task {
            version: Version,
            id: Uuid::nil(),
            attempt: 3,
            recipe: Recipe {
                formula: Formula::Julia {
                    cx: -2.123456789012345,
                    cy: f64::MIN_POSITIVE,
                },
                view: View::rectangle(0.1 + 0.2, -1e-300, 5e-324, 1.7976931348623157e308),
                width: 1,
                height: 2,
                iterations: 3,
                palette: Palette::Classic,
                colours: Colours::default(),
                format: Format::Png,
            },
            part: Part::Whole,
            published_at: None,
        };
        let json = serde_json::to_string(&task).unwrap();
        assert_eq!(serde_json::from_str::<Task>(&json).unwrap(), task);
        for new in ["part", "format"] {
            assert!(!json.contains(new), "as messages always were: {json}");
        }
        let mut numbers = task.clone();
        numbers.recipe.format = Format::Npy;
        let json = serde_json::to_string(&numbers).unwrap();
        assert_eq!(serde_json::from_str::<Task>(&json).unwrap(), numbers);
        for part in [
            Part::Plan { band_area: 5 },
            Part::Band {
                poster: Uuid::max(),
                first: 7,
                rows: 9,
            },
            Part::Join {
                manifest: BlobKey([9; 32]),
            },
        ] {
            let task = Task {
                part,
                ..task.clone()
            };
            let json = serde_json::to_string(&task).unwrap();
            assert_eq!(serde_json::from_str::<Task>(&json).unwrap(), task);
        }
    }

    #[test]
    fn a_task_of_a_newer_version_is_refused_and_one_without_is_read() {
        let recipe = r#"{"kind":"mandelbrot","xa":-2.0,"xb":2.0,"ya":-1.5,"yb":1.5,"width":4,"height":3,"iterations":5,"palette":"aurora"}"#;
        let of = |version: &str| {
            let head = r#""id":"00000000-0000-0000-0000-000000000000","attempt":1"#;
            serde_json::from_str::<Task>(&format!("{{{version}{head},\"recipe\":{recipe}}}"))
        };
        let old = of("").unwrap();
        assert_eq!(of("\"version\":2,").unwrap(), old);
        assert!(
            serde_json::to_string(&old)
                .unwrap()
                .contains("\"version\":2")
        );
        let error = of("\"version\":3,").unwrap_err().to_string();
        assert!(error.contains("version 3"), "{error}");
    }

    #[test]
    fn the_plan_of_a_large_poster_is_still_a_short_message() {
        let band = PlannedBand {
            rows: 12_345,
            work: 3.99,
        };
        let blob = BlobRef {
            key: BlobKey([9; 32]),
            size: u64::MAX,
        };
        let plan = TaskResult::Planned {
            preview: blob,
            bands: vec![band; 400],
        };
        let json = serde_json::to_string(&plan).unwrap();
        assert!(json.len() < 8 << 10, "{}", json.len());
        assert_eq!(serde_json::from_str::<TaskResult>(&json).unwrap(), plan);
    }

    #[test]
    fn a_report_about_a_task_and_one_about_a_worker_are_told_apart() {
        let presence = Report::Presence(Presence {
            name: "rack-7-21".into(),
            version: "0.1.0".into(),
            cores: 8,
            host: "rack-7".into(),
            current: vec![Uuid::nil()],
            stopped: false,
        });
        let result = TaskResult::Rendering { progress: 0.5 };
        let task = Report::Task(TaskReport {
            id: Uuid::nil(),
            attempt: 2,
            worker: "rack-7-21".into(),
            result,
        });
        for report in [presence, task] {
            let json = serde_json::to_string(&report).unwrap();
            assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        }
    }

    #[test]
    fn a_blob_key_is_64_lower_case_digits_and_nothing_else() {
        let text = "c826da48d17a0e06b37ccf59dc80d33d28bb44d57fb21bb325299b7f53875194";
        assert_eq!(text.parse::<BlobKey>().unwrap().to_string(), text);
        for bad in [
            "",
            "C826",
            &text.to_uppercase(),
            &text[1..],
            &format!("{text}0"),
            &"é".repeat(32),
        ] {
            assert!(bad.parse::<BlobKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_event_names_its_change_in_one_word() {
        let json = serde_json::to_string(&Event::state(Uuid::nil(), State::Done, 1.0)).unwrap();
        assert_eq!(
            json,
            r#"{"uuid":"00000000-0000-0000-0000-000000000000","change":"done","progress":1.0}"#
        );
        let gone = serde_json::to_string(&Event::deleted(Uuid::nil())).unwrap();
        assert_eq!(
            serde_json::from_str::<Event>(&gone).unwrap(),
            Event::deleted(Uuid::nil())
        );
    }
}
