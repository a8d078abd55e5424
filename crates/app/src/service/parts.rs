//! What a role needs of the world, opened in whatever order it comes up: what is not there yet is waited for.

use super::folder::Folder;
use super::{Role, welcome};
use crate::config::Config;
use anyhow::{Context, bail};
use faafo_blob::BlobStore;
use faafo_queue::Queue;
use faafo_store::Store;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The opened parts. Those that the role does not need are absent.
pub struct Parts {
    pub listener: Option<TcpListener>,
    pub store: Option<Store>,
    pub queue: Arc<dyn Queue>,
    pub blobs: Arc<dyn BlobStore>,
    /// Holds the data folder for us.
    _folder: Option<Folder>,
}

impl Parts {
    /// Opens what `role` needs. Waits for ever for a database or a store that does not answer.
    ///
    /// # Errors
    /// What waiting can't mend.
    pub async fn open(role: Role, config: &Config) -> anyhow::Result<Self> {
        // Only a process that does everything can do with what lies inside of itself and beside it.
        let folder = if role == Role::Up {
            Some(Folder::open(&config.data)?)
        } else {
            None
        };
        let listener = if role.serves() {
            let address = (config.listen_address, config.bind_port);
            let listening = TcpListener::bind(address).await;
            Some(
                listening
                    .with_context(|| format!("can't listen on {}:{}", address.0, address.1))?,
            )
        } else {
            None
        };
        let store = if role == Role::Worker {
            None
        } else {
            let own = folder.as_ref().map(Folder::database_url);
            let url = setting("database_url", &config.database_url, own)?;
            Some(
                wait_for(
                    "database",
                    || Store::open(&url),
                    |error| error.kind() == faafo_store::ErrorKind::Unavailable,
                )
                .await?,
            )
        };
        let transport = folder.as_ref().map(|_| "memory:".to_owned());
        let transport = setting("transport_url", &config.transport_url, transport)?;
        if role != Role::Up && transport.starts_with("memory:") {
            bail!(
                "transport_url: a queue inside one process can't be shared; only `faafo up` can do with it"
            );
        }
        let queue = faafo_queue::open(&transport)?;
        let own = match role {
            // It needs to know nothing else of the service.
            Role::Worker => Some(config.endpoint_url.clone()),
            _ => folder.as_ref().map(Folder::storage_url),
        };
        let url = setting("storage_url", &config.storage_url, own)?;
        let token = config.token()?;
        let environment = |name: &str| match name {
            "FAAFO_TOKEN" => token.clone(),
            name => std::env::var(name).ok(),
        };
        let blobs = wait_for(
            "storage",
            || faafo_blob::open_with(&url, store.as_ref(), &environment),
            |error| error.kind() == faafo_blob::ErrorKind::Unavailable,
        )
        .await?;
        if role == Role::Worker {
            // A worker that can't store anything would only keep tasks from the others.
            wait_for(
                "storage",
                || blobs.ping(),
                |error| error.kind() == faafo_blob::ErrorKind::Unavailable,
            )
            .await?;
        }
        if let (Some(store), Some(folder)) = (&store, &folder)
            && config.welcome
            && folder.is_new
        {
            welcome::greet(store).await?;
        }
        Ok(Self {
            listener,
            store,
            queue,
            blobs: faafo_blob::cached(blobs),
            _folder: folder,
        })
    }
}

fn setting(
    name: &str,
    value: &Option<String>,
    otherwise: Option<String>,
) -> anyhow::Result<String> {
    value
        .clone()
        .or(otherwise)
        .with_context(|| format!("{name} is not set, and this role shares it with others"))
}

/// Tries until it is there, ever less often.
async fn wait_for<T, E, F>(
    what: &str,
    mut open: impl FnMut() -> F,
    is_away: impl Fn(&E) -> bool,
) -> anyhow::Result<T>
where
    E: Display + std::error::Error + Send + Sync + 'static,
    F: Future<Output = Result<T, E>>,
{
    let mut pause = Duration::from_millis(200);
    loop {
        match open().await {
            Ok(part) => return Ok(part),
            Err(error) if is_away(&error) => {
                tracing::warn!(%error, "the {what} is not there yet; waiting");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            Err(error) => return Err(error.into()),
        }
    }
}
