//! The roles that serve: server, tracker and worker, all in one process (`faafo up`) or each in its own.

mod folder;
mod parts;
mod signals;
mod welcome;

use crate::config::Config;
use anyhow::Context;
use faafo_kernel::Renderer;
use faafo_model::Limits;
use faafo_server::Server;
use faafo_tracker::Tracker;
use faafo_worker::Worker;
use parts::Parts;
pub use signals::stop_requested;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

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
}

/// Runs a role until a signal says otherwise, and then drains it.
///
/// # Errors
/// When it can't start: the folder is taken, the port is taken, a setting is missing or names what this build does not
/// have.
pub fn run(role: Role, config: &Config) -> anyhow::Result<()> {
    signals::raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("can't start the event loop")?;
    let result = runtime.block_on(async {
        let parts = tokio::select! {
            parts = Parts::open(role, config) => parts?,
            // Nothing is begun yet.
            stopped = stop_requested() => return stopped,
        };
        serve(role, config, parts).await
    });
    runtime.shutdown_background();
    result
}

async fn serve(role: Role, config: &Config, parts: Parts) -> anyhow::Result<()> {
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
        });
    let server = parts
        .store
        .clone()
        .filter(|_| role.serves())
        .map(|store| Server {
            store,
            queue: Arc::clone(&parts.queue),
            blobs: Arc::clone(&parts.blobs),
            limits: Limits {
                max_area: config.max_area,
            },
            wake,
            stop: stop_server.clone(),
        });

    let local = parts
        .listener
        .as_ref()
        .map(TcpListener::local_addr)
        .transpose();
    let local = local.context("can't tell the address listened on")?;
    let worker = worker.map(|worker| tokio::spawn(worker.run(stop_worker.clone())));
    let tracker = tracker.map(|tracker| {
        let stop = stop_tracker.clone();
        tokio::spawn(async move { tracker.run(stop).await })
    });
    let server = server
        .zip(parts.listener)
        .map(|(server, listener)| tokio::spawn(faafo_server::serve(listener, server)));
    if let Some(local) = local {
        say_where(local);
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
    let threads = match config.threads {
        Some(threads) => threads,
        None => std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
    };
    // While one picture is being stored, another one is rendered.
    let Some(slots) = NonZeroUsize::new(config.slots.unwrap_or(threads.get() + 1)) else {
        anyhow::ensure!(
            role == Role::Up,
            "slots is 0: a worker without any does nothing"
        );
        tracing::info!("slots is 0: fractals are accepted, but not rendered");
        return Ok(None);
    };
    Ok(Some(Worker {
        name: folder::host_name(),
        slots,
        queue: Arc::clone(&parts.queue),
        blobs: Arc::clone(&parts.blobs),
        renderer: Arc::new(Renderer::new(threads).context("can't start the render threads")?),
    }))
}

async fn ended(part: Option<JoinHandle<()>>, name: &str) -> anyhow::Result<()> {
    match part {
        Some(part) => part.await.with_context(|| format!("the {name} broke")),
        None => Ok(()),
    }
}

/// The one line on stdout: where to look.
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
    if !local.ip().is_loopback() {
        tracing::warn!(
            "listening beyond this machine: anybody who reaches it may create and delete pictures"
        );
    }
}
