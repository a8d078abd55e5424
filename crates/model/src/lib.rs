//! What every part of faafo shares: recipes and their limits, states and their legal transitions, queue messages
//! and the JSON of the wire. Types and rules only: nothing here reads a clock, a file or a socket.

pub mod colours;
pub mod draw;
pub mod fields;
pub mod format;
pub mod formula;
pub mod fractal;
pub mod gradient;
pub mod lane;
pub mod limits;
pub mod message;
pub mod poster;
pub mod recipe;
pub mod request;
pub mod rgb;
pub mod state;
pub mod time;

pub use colours::{Colouring, Colours, Stop};
pub use fields::{FIELDS, Field};
pub use format::Format;
pub use formula::{Family, Formula};
pub use fractal::{Fractal, FractalJson};
pub use lane::Lane;
pub use limits::{FieldError, Limits};
pub use message::{BlobKey, BlobRef, Event, Presence, Report, Task, TaskReport, TaskResult};
pub use poster::{Bands, Manifest, Part, PlannedBand};
pub use recipe::{Palette, Recipe, View};
pub use request::CreateRequest;
pub use rgb::Rgb;
pub use state::State;
pub use time::Timestamp;
pub use uuid::Uuid;
