//! What the service says of itself: metrics, counted where things happen and read as Prometheus' text, and the spans of
//! which a picture's trace consists. Opens nothing and sends nothing.

mod family;
pub mod metrics;
mod page;
mod process;
pub mod trace;

pub use family::{Counter, Gauge, Held, Histogram};
pub use page::{CONTENT_TYPE, Page, SILENT, Source, page, unready};
