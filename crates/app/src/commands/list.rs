//! `faafo list`: any number of rows, in constant memory.

use crate::args::ListArgs;
use crate::client::{Client, Splitter};
use crate::output::Output;
use crate::table;
use anyhow::{Context, ensure};
use serde::Deserialize;
use std::borrow::Cow;

/// What the list shows of a row.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    uuid: Cow<'a, str>,
    width: u64,
    height: u64,
    size: Option<u64>,
}

/// How rows are printed.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    Framed,
    Plain,
    Json,
}

/// Prints all fractals, or those in one state, while they arrive.
pub async fn run(client: &Client, args: &ListArgs, out: &mut Output) -> anyhow::Result<()> {
    let style = match (args.json, out.is_terminal()) {
        (true, _) => Style::Json,
        (false, true) => Style::Framed,
        (false, false) => Style::Plain,
    };
    let q = args
        .state
        .map(|state| format!(r#"{{"filters":[{{"name":"state","op":"eq","val":"{state}"}}]}}"#));
    let mut response = client.list(q.as_deref()).await?;
    if style == Style::Framed {
        table::list_head()
            .iter()
            .try_for_each(|line| out.line(line))?;
    }
    let mut rows: u64 = 0;
    let mut splitter = Splitter::default();
    loop {
        let chunk = response.chunk().await;
        let chunk = chunk
            .map_err(|error| client.broken(error))
            .with_context(|| format!("the list was cut short after {rows} rows"))?;
        let Some(chunk) = chunk else { break };
        splitter.push(&chunk, |object| {
            rows += 1;
            out.line(&line(object, style)?)
        })?;
        out.flush()?;
    }
    let envelope = splitter
        .finish()
        .with_context(|| format!("the list was cut short after {rows} rows"))?;
    ensure!(
        envelope.total_pages <= 1,
        "only the first {rows} rows were listed: this service can't list everything at once"
    );
    if style == Style::Framed {
        out.line(&table::list_foot())?;
    }
    out.flush()
}

fn line(object: &[u8], style: Style) -> anyhow::Result<String> {
    let row: Row<'_> =
        serde_json::from_slice(object).context("a row of the list makes no sense")?;
    let uuid = table::one_line(&row.uuid);
    let dimensions = format!("{} x {} pixels", row.width, row.height);
    let size = format!("{} bytes", row.size.unwrap_or(0));
    let cells = [uuid.as_str(), &dimensions, &size];
    Ok(match style {
        Style::Framed => table::list_row(cells),
        Style::Plain => table::plain_row(&cells),
        Style::Json => String::from_utf8_lossy(object).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_as_the_original_s_did() {
        let object = br#"{"uuid":"u\u002d1","width":41,"height":30,"size":null,"state":"queued"}"#;
        assert_eq!(
            line(object, Style::Plain).unwrap(),
            "| u-1 | 41 x 30 pixels | 0 bytes |"
        );
        assert_eq!(line(object, Style::Json).unwrap().as_bytes(), object);
        assert!(
            line(object, Style::Framed)
                .unwrap()
                .contains("  41 x 30 pixels  ")
        );
        assert!(line(b"{}", Style::Plain).is_err());
    }
}
