//! `faafo delete`.

use crate::args::DeleteArgs;
use crate::client::Client;

/// Deletes the fractals. One that can't be deleted does not keep the others.
pub async fn run(client: &Client, args: &DeleteArgs) -> anyhow::Result<()> {
    let mut failures = Vec::new();
    for id in &args.uuids {
        match client.delete(*id).await {
            Ok(()) => tracing::info!("deleted fractal {id}"),
            Err(error) if error.is_transient() => {
                failures.push(error.to_string());
                break;
            }
            Err(error) => failures.push(error.to_string()),
        }
    }
    anyhow::ensure!(failures.is_empty(), "{}", failures.join("; "));
    Ok(())
}
