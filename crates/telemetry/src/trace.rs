//! The trace of a picture. Its trace id is the fractal's uuid, and the ids of the spans that others refer to follow
//! from what they are about, so that nothing has to be carried through rows and messages, and a trace goes on after
//! every restart.
//!
//! ```text
//! accept (API) ─┬─ publish (tracker) ─┬─ queued (worker)
//!               │                     └─ render (worker) ─┬─ store (worker)
//!               │                                         └─ record (tracker)
//!               └─ publish, of the next attempt …
//! ```

pub mod otlp;

use crate::metrics;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Spans that wait for the exporter; more are dropped, because nobody waits for it.
const ROOM: usize = 8_192;

static EXPORTER: OnceLock<mpsc::Sender<Span>> = OnceLock::new();

/// Turns tracing on. What comes out is for somebody to send away.
pub fn start() -> mpsc::Receiver<Span> {
    let (sender, receiver) = mpsc::channel(ROOM);
    // A second exporter would get nothing: its channel is closed.
    let _ = EXPORTER.set(sender);
    receiver
}

/// The part of the service that a span belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Accepts.
    Api,
    /// Publishes and records.
    Tracker,
    /// Renders and stores.
    Worker,
}

impl Service {
    /// The attribute `service.name`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "faafo-api",
            Self::Tracker => "faafo-tracker",
            Self::Worker => "faafo-worker",
        }
    }
}

/// What stands on either side of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nobody.
    Internal,
    /// Somebody asked for it.
    Server,
    /// It hands something to a queue.
    Producer,
    /// It takes something from a queue.
    Consumer,
}

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the variants are the types of OTLP")]
pub enum Value {
    Text(String),
    Whole(i64),
    Real(f64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Whole(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

/// A span of somebody else's trace: the one in which a request was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The other trace.
    pub trace: u128,
    /// The span in it.
    pub span: u64,
}

impl Link {
    /// Reads the header `traceparent` (W3C Trace Context, 3.2): `00-<trace id>-<parent id>-<flags>`.
    pub fn from_traceparent(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let mut hexadecimal = |digits: usize| {
            let part = parts.next()?;
            let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let fits = part.len() == digits && part.bytes().all(is_digit);
            fits.then(|| u128::from_str_radix(part, 16).ok()).flatten()
        };
        let version = hexadecimal(2)?;
        let link = Self {
            trace: hexadecimal(32)?,
            span: u64::try_from(hexadecimal(16)?).ok()?,
        };
        hexadecimal(2)?;
        (version != 0xff && link.trace != 0 && link.span != 0).then_some(link)
    }
}

/// When something began, by the clock on the wall and by one that nobody sets.
#[derive(Debug, Clone, Copy)]
pub struct Begun(SystemTime, Instant);

/// Now.
pub fn begun() -> Begun {
    Begun(SystemTime::now(), Instant::now())
}

impl Begun {
    /// How long ago.
    pub fn elapsed(&self) -> Duration {
        self.1.elapsed()
    }

    /// When, by the clock on the wall.
    pub fn at(&self) -> SystemTime {
        self.0
    }
}

/// Something that took time on the way of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    pub(crate) trace: Uuid,
    pub(crate) id: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) name: &'static str,
    pub(crate) service: Service,
    pub(crate) kind: Kind,
    pub(crate) begin: SystemTime,
    pub(crate) end: SystemTime,
    pub(crate) attributes: Vec<(&'static str, Value)>,
    pub(crate) error: Option<String>,
    pub(crate) link: Option<Link>,
}

impl Span {
    /// A span of that fractal's trace that ends now, below the acceptance, under an id that nobody else has.
    pub fn new(
        trace: Uuid,
        name: &'static str,
        service: Service,
        kind: Kind,
        begun: Begun,
    ) -> Self {
        Self {
            trace,
            id: fastrand::u64(1..),
            parent: Some(accept_id(trace)),
            name,
            service,
            kind,
            begin: begun.0,
            end: begun.0 + begun.elapsed(),
            attributes: Vec::new(),
            error: None,
            link: None,
        }
    }

    /// Began and ended then.
    pub fn between(mut self, begin: SystemTime, end: SystemTime) -> Self {
        // The clocks of two machines differ.
        (self.begin, self.end) = (begin.min(end), end);
        self
    }

    /// Has this id.
    pub fn id(mut self, id: u64) -> Self {
        self.id = id;
        self
    }

    /// Is below that span; below none if there is none.
    pub fn below(mut self, parent: Option<u64>) -> Self {
        self.parent = parent;
        self
    }

    /// Has this attribute.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Failed, if there is a reason.
    pub fn failed(mut self, reason: Option<&str>) -> Self {
        self.error = reason.map(str::to_owned);
        self
    }

    /// Was asked for in that span of another trace.
    pub fn link(mut self, link: Option<Link>) -> Self {
        self.link = link;
        self
    }

    /// Hands it to the exporter, if there is one. Never waits.
    pub fn record(self) {
        let Some(exporter) = EXPORTER.get() else {
            return;
        };
        // OTLP knows no trace 0, which is a good name for a fractal.
        if !self.trace.is_nil() && exporter.try_send(self).is_err() {
            metrics::SPANS.add(["dropped"], 1);
        }
    }
}

/// The id of the span in which the API accepted the fractal; all others are below it.
pub fn accept_id(trace: Uuid) -> u64 {
    id(trace, "accept", 0, "")
}

/// The id of the span in which an attempt's task was published.
pub fn publish_id(trace: Uuid, attempt: u32) -> u64 {
    id(trace, "publish", attempt, "")
}

/// The id of the span in which that worker rendered the picture that it then reported.
pub fn render_id(trace: Uuid, attempt: u32, worker: &str) -> u64 {
    id(trace, "render", attempt, worker)
}

/// FNV-1a over what the span is about, mixed once more so that every bit depends on every other; never 0.
fn id(trace: Uuid, stage: &str, attempt: u32, worker: &str) -> u64 {
    let attempt = attempt.to_be_bytes();
    let parts: [&[u8]; 5] = [
        trace.as_bytes(),
        stage.as_bytes(),
        &[0],
        &attempt,
        worker.as_bytes(),
    ];
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.into_iter().flatten() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash ^ (hash >> 31)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn spans_of_different_things_have_different_ids_and_the_same_ones_the_same() {
        let mut ids = HashSet::new();
        for number in 1..1_000 {
            let trace = Uuid::from_u128(number);
            ids.insert(accept_id(trace));
            for attempt in 1..4 {
                ids.insert(publish_id(trace, attempt));
                ids.insert(render_id(trace, attempt, "a"));
                ids.insert(render_id(trace, attempt, "b"));
            }
        }
        assert_eq!(ids.len(), 999 * 10);
        // Processes of different versions must agree.
        assert_eq!(accept_id(Uuid::from_u128(1)), accept_id(Uuid::from_u128(1)));
    }

    #[test]
    fn a_traceparent_is_read_as_the_standard_says() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(
            Link::from_traceparent(good),
            Some(Link {
                trace: 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c,
                span: 0xb7ad_6b71_6920_3331
            })
        );
        for bad in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        ] {
            assert_eq!(Link::from_traceparent(bad), None, "{bad}");
        }
    }
}
