//! What the operator has to know about who may do what.

use anyhow::Context;
use faafo_server::{Access, Security, mint_first};
use faafo_store::Store;
use std::io::Write;

/// Makes the first token where tokens are needed and there never was one.
///
/// # Errors
/// When the database fails.
pub async fn first_token(
    store: Option<&Store>,
    security: Option<&Security>,
) -> anyhow::Result<Option<String>> {
    match (store, security) {
        (Some(store), Some(security)) if security.access != Access::Open => mint_first(store)
            .await
            .context("can't make the first token"),
        _ => Ok(None),
    }
}

/// Says what is free, and shows the first token: on stdout, once, and in no log.
pub fn say(security: &Security, first_token: Option<String>) {
    match security.access {
        Access::Open if !security.loopback => tracing::warn!(
            "listening beyond this machine with access = \"open\": anybody who reaches it may create and delete pictures"
        ),
        Access::Open => {}
        Access::Writes => tracing::info!("reading is free, writing needs a token"),
        Access::All => tracing::info!("reading and writing need a token"),
    }
    let Some(token) = first_token else { return };
    let mut out = std::io::stdout();
    let shown = writeln!(
        out,
        "the first token, of scope admin; it is not shown again: {token}"
    )
    .and_then(|()| out.flush());
    if shown.is_err() {
        tracing::warn!(
            "the first token could not be shown; make another with `faafo token create --scope admin --database-url`"
        );
    }
}
