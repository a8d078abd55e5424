//! `faafo up`: every role in one process, with nothing to install.

mod folder;
mod signals;
mod welcome;

use crate::config::Config;
use anyhow::Context;
use faafo_kernel::Renderer;
use faafo_model::Limits;
use faafo_server::Server;
use faafo_store::Store;
use faafo_tracker::Tracker;
use faafo_worker::Worker;
use folder::Folder;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Runs the service until a signal says otherwise, and then drains it.
///
/// # Errors
/// When it can't start: the folder is taken, the port is taken, a setting names what this build does not have.
pub fn run(config: &Config) -> anyhow::Result<()> {
    signals::raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("can't start the event loop")?;
    let result = runtime.block_on(serve(config));
    runtime.shutdown_background();
    result
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let folder = Folder::open(&config.data)?;
    let address = (config.listen_address, config.bind_port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("can't listen on {}:{}", address.0, address.1))?;
    let database_url = config
        .database_url
        .clone()
        .unwrap_or_else(|| folder.database_url());
    let storage_url = config
        .storage_url
        .clone()
        .unwrap_or_else(|| folder.storage_url());
    let store = Store::open(&database_url).await?;
    let queue = faafo_queue::open(config.transport_url.as_deref().unwrap_or("memory:"))?;
    let blobs = faafo_blob::open(&storage_url).await?;
    if config.welcome && folder.is_new {
        welcome::greet(&store).await?;
    }

    let threads = match config.threads {
        Some(threads) => threads,
        None => std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
    };
    // While one picture is being stored, another one is rendered.
    let slots = config.slots.unwrap_or(threads.get() + 1);
    let wake = Arc::new(Notify::new());
    let stop_server = CancellationToken::new();
    let stop_worker = CancellationToken::new();
    let stop_tracker = CancellationToken::new();
    let worker = match NonZeroUsize::new(slots) {
        Some(slots) => Some(Worker {
            name: folder::host_name(),
            slots,
            queue: Arc::clone(&queue),
            blobs: Arc::clone(&blobs),
            renderer: Arc::new(Renderer::new(threads).context("can't start the render threads")?),
        }),
        None => {
            tracing::info!("slots is 0: fractals are accepted, but not rendered");
            None
        }
    };
    let tracker = Tracker {
        store: store.clone(),
        queue: Arc::clone(&queue),
        blobs: Arc::clone(&blobs),
        wake: Arc::clone(&wake),
    };
    let server = Server {
        store: store.clone(),
        queue,
        blobs,
        limits: Limits {
            max_area: config.max_area,
        },
        wake,
        stop: stop_server.clone(),
    };

    let local = listener
        .local_addr()
        .context("can't tell the address listened on")?;
    let worker = tokio::spawn({
        let stop = stop_worker.clone();
        async move {
            if let Some(worker) = worker {
                worker.run(stop).await;
            }
        }
    });
    let tracker = tokio::spawn({
        let stop = stop_tracker.clone();
        async move { tracker.run(stop).await }
    });
    let server = tokio::spawn(faafo_server::serve(listener, server));
    say_where(local);

    signals::stop_requested().await?;
    tracing::info!("stopping; a second signal stops at once");
    tokio::select! {
        result = async {
            // Nothing new comes in, then what is begun ends, then what was reported is recorded.
            stop_server.cancel();
            stop_worker.cancel();
            worker.await.context("the worker broke")?;
            stop_tracker.cancel();
            tracker.await.context("the tracker broke")?;
            server.await.context("the server broke")
        } => result?,
        again = signals::stop_requested() => {
            again?;
            anyhow::bail!("stopped at once; what was not finished goes on at the next start");
        }
    }
    store.close().await;
    Ok(())
}

/// The one line on stdout: where to look.
fn say_where(local: std::net::SocketAddr) {
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
