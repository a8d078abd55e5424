//! `faafo cancel` and `faafo retry`.

use crate::args::ControlArgs;
use crate::client::Client;
use crate::output::Output;
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
    let mut failures = Vec::new();
    for id in &args.uuids {
        match client.control(verb, *id).await {
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
