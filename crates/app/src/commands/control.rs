//! `faafo cancel`, `faafo retry` and `faafo priority`.

use crate::args::{ControlArgs, PriorityArgs};
use crate::client::{Client, ClientError};
use crate::output::Output;
use faafo_model::Uuid;
use serde_json::json;

/// Carries out `verb` for the fractals that are named, or for all that are meant, and says for how many it was.
pub async fn run(
    client: &Client,
    verb: &str,
    args: &ControlArgs,
    out: &mut Output,
) -> anyhow::Result<()> {
    if args.uuids.is_empty() {
        let filters = match args.state {
            Some(state) => json!([{"name": "state", "op": "eq", "val": state.name()}]),
            None => json!([]),
        };
        let changed = client
            .control_many(verb, &json!({"filters": filters}))
            .await?;
        out.line(&changed.to_string())?;
        return Ok(());
    }
    each(verb, &args.uuids, async |id| client.control(verb, id).await).await
}

/// Gives each of the fractals that priority.
pub async fn prioritise(client: &Client, args: &PriorityArgs) -> anyhow::Result<()> {
    let set = async |id| client.set_priority(id, args.priority).await;
    each("priority", &args.uuids, set).await
}

/// Goes on with the others where one can't be changed, but not where the service is away.
async fn each(
    verb: &str,
    ids: &[Uuid],
    change: impl AsyncFn(Uuid) -> Result<(), ClientError>,
) -> anyhow::Result<()> {
    let mut failures = Vec::new();
    for id in ids {
        match change(*id).await {
            Ok(()) => tracing::info!("{verb}: fractal {id}"),
            Err(error) if error.is_transient() => {
                failures.push(error.to_string());
                break;
            }
            Err(error) => failures.push(format!("fractal {id}: {error}")),
        }
    }
    anyhow::ensure!(failures.is_empty(), "{}", failures.join("; "));
    Ok(())
}
