//! `faafo storage`: the operator's view of database and picture store.

mod check;
mod migrate;

use crate::args::StorageCommand;
use crate::config::Config;
use crate::output::Output;
use crate::service::database_in;
use anyhow::{Context, bail};
use faafo_store::Store;
use tokio::runtime::Builder;

/// Blobs looked at or copied at the same time.
const AT_ONCE: usize = 8;

/// Runs a command on the installation that the settings name.
///
/// # Errors
/// When something can't be reached, and when something is found or left wrong.
pub fn run(command: &StorageCommand, config: &Config) -> anyhow::Result<()> {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("can't start the event loop")?;
    let result = runtime.block_on(async {
        let mut out = Output::new();
        match command {
            StorageCommand::Check(args) => check::run(args, config, &mut out).await,
            StorageCommand::Migrate(args) => migrate::run(args, config, &mut out).await,
        }
    });
    runtime.shutdown_background();
    result
}

/// The database that is set, else the one in the data folder, if there is one.
async fn store(config: &Config) -> anyhow::Result<Option<Store>> {
    let url = match &config.database_url {
        Some(url) => url.clone(),
        None if config.data.join("faafo.db").exists() => database_in(&config.data)?,
        None => return Ok(None),
    };
    Ok(Some(Store::open(&url).await?))
}

/// As [`store`], where it must be there.
async fn required_store(config: &Config) -> anyhow::Result<Store> {
    match store(config).await? {
        Some(store) => Ok(store),
        None => bail!(
            "there is no database in {}: name it with --database-url or --data",
            config.data.display()
        ),
    }
}
