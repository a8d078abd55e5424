//! What the operating system has to say, and what is asked of it.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// When signals can't be received.
pub async fn stop_requested() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("can't receive signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("can't receive signals")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Keeps the files that this process makes from everybody else on the machine.
pub fn keep_files_private() {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// Allows as many open connections as the system lets us have; the usual 1,024 are soon used up by a crowd.
pub fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum.map(|most| most.min(65_536));
    // As many as before will have to do.
    let _ = setrlimit(Resource::Nofile, limit);
}
