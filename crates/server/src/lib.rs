//! HTTP: the REST interface, the pages, the pictures and live events. Knows rows, events and blobs; nothing of kernels.

mod auth;
mod blobs;
mod body;
mod control;
mod error;
mod events;
mod fractals;
mod health;
mod language;
mod list;
mod openapi;
mod pages;
mod pictures;
mod results;
mod routes;
mod serve;
mod shared;
mod sign_in;
mod tokens;
mod ui;
mod watch;
mod workers;

pub use auth::{
    Access, Guard, MintError, Scope, Security, asked_host, is_own_name, mint, mint_first, networks,
};
use faafo_blob::BlobStore;
use faafo_model::Limits;
use faafo_queue::Queue;
use faafo_store::Store;
use faafo_telemetry::Source;
pub use serve::serve;
pub use shared::Shared;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A server's surroundings.
#[derive(Clone)]
pub struct Server {
    /// The rows.
    pub store: Store,
    /// Where live events come from.
    pub queue: Arc<dyn Queue>,
    /// The pictures.
    pub blobs: Arc<dyn BlobStore>,
    /// What a recipe may ask for here.
    pub limits: Limits,
    /// What `/metrics` says beside what the process itself has counted.
    pub sources: Arc<[Arc<dyn Source>]>,
    /// Who may do what, and how much at once.
    pub guard: Arc<Guard>,
    /// What many ask for at the same time.
    pub shared: Shared,
    /// Wakes a tracker in the same process.
    pub wake: Arc<Notify>,
    /// Ends live streams, which would otherwise keep a stopping server waiting.
    pub stop: CancellationToken,
}
