//! The roles that serve: server, tracker and worker, all in one process (`faafo up`) or each in its own.

mod folder;
mod lookout;
mod parts;
mod security;
mod signals;
mod sources;
mod traces;
mod welcome;

use crate::config::Config;
use anyhow::Context;
use faafo_kernel::Renderer;
use faafo_model::Limits;
use faafo_server::{Guard, Server, Shared};
use faafo_tracker::Tracker;
use faafo_worker::Worker;
pub use folder::{database_in, storage_in};
use lookout::Lookout;
use parts::Parts;
pub use signals::stop_requested;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use traces::Traces;

/// Threads that wait for files, beside those that wait for pictures. Small pictures are written by a thread of the store.
const STORAGE_THREADS: usize = 4;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Up,
    /// REST, pages, live events; with or without a tracker.
    Api {
        /// Whether it also keeps store and queue in step.
        tracker: bool,
    },
    /// Takes tasks, renders them, stores the pictures.
    Worker,
    /// Keeps store and queue in step.
    Tracker,
}

impl Role {
    fn serves(self) -> bool {
        matches!(self, Self::Up | Self::Api { .. })
    }

    fn tracks(self) -> bool {
        matches!(self, Self::Up | Self::Tracker | Self::Api { tracker: true })
    }

    fn works(self) -> bool {
        matches!(self, Self::Up | Self::Worker)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Api { .. } => "api",
            Self::Worker => "worker",
            Self::Tracker => "tracker",
        }
    }
}

/// Runs a role until a signal says otherwise, and then drains it.
///
/// # Errors
/// When it can't start: the folder is taken, the port is taken, a setting is missing or names what this build does not
/// have.
pub fn run(role: Role, config: &Config) -> anyhow::Result<()> {
    signals::raise_file_limit();
    faafo_telemetry::metrics::begin(role.name());
    if role == Role::Up {
        // What roles of their own share may lie where others have to reach it.
        signals::keep_files_private();
    }
    let rendering = match role.works() {
        true => slots(config).map_or(0, faafo_worker::blocking_threads),
        false => 0,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("faafo-async")
        // A task that waits for storage holds a thread, and storage needs others to go on.
        .max_blocking_threads(rendering + STORAGE_THREADS)
        .build()
        .context("can't start the event loop")?;
    let result = runtime.block_on(async {
        let lookout = Lookout::open(config.metrics_listen, config.allowed_hosts()).await?;
        let traces = Traces::start(config.otlp_endpoint.as_deref())?;
        let parts = tokio::select! {
            parts = Parts::open(role, config) => parts?,
            // Nothing is begun yet.
            stopped = stop_requested() => return stopped,
        };
        let result = serve(role, config, parts, &lookout).await;
        traces.finish().await;
        result
    });
    runtime.shutdown_background();
    result
}

async fn serve(role: Role, config: &Config, parts: Parts, lookout: &Lookout) -> anyhow::Result<()> {
    let (queue, blobs) = (Arc::clone(&parts.queue), Arc::clone(&parts.blobs));
    let accepts = parts.listener.is_some();
    let sources = sources::sources(parts.store.clone(), queue, blobs, accepts);
    lookout.begin(Arc::clone(&sources));
    let wake = Arc::new(Notify::new());
    let (stop_server, stop_worker, stop_tracker) = (
        CancellationToken::new(),
        CancellationToken::new(),
        CancellationToken::new(),
    );
    let worker = worker(role, config, &parts)?;
    let tracker = parts
        .store
        .clone()
        .filter(|_| role.tracks())
        .map(|store| Tracker {
            store,
            queue: Arc::clone(&parts.queue),
            blobs: Arc::clone(&parts.blobs),
            wake: Arc::clone(&wake),
            tidy_after: Duration::from_secs(config.tidy_after),
        });
    let local = parts
        .listener
        .as_ref()
        .map(TcpListener::local_addr)
        .transpose();
    let local = local.context("can't tell the address listened on")?;
    let security = local.map(|local| config.security(local)).transpose()?;
    let server = parts
        .store
        .clone()
        .zip(security.clone())
        .map(|(store, security)| Server {
            guard: Arc::new(Guard::new(store.clone(), security)),
            shared: Shared::default(),
            store,
            queue: Arc::clone(&parts.queue),
            blobs: Arc::clone(&parts.blobs),
            limits: Limits {
                max_area: config.max_area,
                band_area: config.band_area,
            },
            sources,
            wake,
            stop: stop_server.clone(),
        });

    let first_token = security::first_token(parts.store.as_ref(), security.as_ref()).await?;
    let worker = worker.map(|worker| tokio::spawn(worker.run(stop_worker.clone())));
    let tracker = tracker.map(|tracker| {
        let stop = stop_tracker.clone();
        tokio::spawn(async move { tracker.run(stop).await })
    });
    let server = server
        .zip(parts.listener)
        .map(|(server, listener)| tokio::spawn(faafo_server::serve(listener, server)));
    if let Some((local, security)) = local.zip(security) {
        say_where(local);
        security::say(&security, first_token);
    }

    stop_requested().await?;
    tracing::info!("stopping; a second signal stops at once");
    tokio::select! {
        result = async {
            // Nothing new comes in, then what is begun ends, then what was reported is recorded.
            stop_server.cancel();
            stop_worker.cancel();
            ended(worker, "worker").await?;
            stop_tracker.cancel();
            ended(tracker, "tracker").await?;
            ended(server, "server").await?;
            // What was acknowledged last shall not come again.
            parts.queue.close().await;
            anyhow::Ok(())
        } => result?,
        again = stop_requested() => {
            again?;
            anyhow::bail!("stopped at once; what was not finished goes on at the next start");
        }
    }
    if let Some(store) = parts.store {
        store.close().await;
    }
    Ok(())
}

fn worker(role: Role, config: &Config, parts: &Parts) -> anyhow::Result<Option<Worker>> {
    if !role.works() {
        return Ok(None);
    }
    let threads = threads(config);
    let Some(slots) = slots(config) else {
        anyhow::ensure!(
            role == Role::Up,
            "slots is 0: a worker without any does nothing"
        );
        tracing::info!("slots is 0: fractals are accepted, but not rendered");
        return Ok(None);
    };
    let host = folder::host_name();
    let name = match (&config.worker_name, role) {
        (Some(name), _) => name.clone(),
        // There may be several on one machine.
        (None, Role::Worker) => format!("{host}-{}", std::process::id()),
        (None, _) => host.clone(),
    };
    Ok(Some(Worker {
        name,
        host,
        cores: u32::try_from(threads.get()).unwrap_or(u32::MAX),
        slots,
        queue: Arc::clone(&parts.queue),
        blobs: Arc::clone(&parts.blobs),
        renderer: Arc::new(Renderer::new(threads).context("can't start the render threads")?),
    }))
}

fn threads(config: &Config) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    config.threads.unwrap_or_else(cores)
}

fn slots(config: &Config) -> Option<NonZeroUsize> {
    // While one picture is being stored, another one is rendered.
    NonZeroUsize::new(config.slots.unwrap_or_else(|| threads(config).get() + 1))
}

async fn ended(part: Option<JoinHandle<()>>, name: &str) -> anyhow::Result<()> {
    match part {
        Some(part) => part.await.with_context(|| format!("the {name} broke")),
        None => Ok(()),
    }
}

/// The first line on stdout: where to look.
fn say_where(local: SocketAddr) {
    use std::io::Write;
    let host = match local.ip() {
        ip if ip.is_unspecified() => "localhost".to_owned(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        ip => ip.to_string(),
    };
    // Nobody may be listening to stdout, which is no reason to stop.
    let _ = writeln!(
        std::io::stdout(),
        "faafo is at http://{host}:{}",
        local.port()
    );
}
