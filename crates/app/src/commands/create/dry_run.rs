//! `faafo create --dry-run`: what fractals would take, without asking for them.

use super::draw::{Ranges, Request};
use crate::args::CreateArgs;
use crate::client::Client;
use crate::commands::bench::clock;
use crate::output::Output;
use crate::table;
use anyhow::Context;
use faafo_kernel::{Level, Watch, probe};
use faafo_model::{CreateRequest, Limits, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Seconds of a core that looking at one fractal may take.
const BUDGET: f64 = 1.0;
/// A worker that has said nothing for so long is not counted on.
const PRESENT: Duration = Duration::from_secs(30);

/// What a fractal would take.
#[derive(Debug, Serialize)]
struct Estimate {
    width: u32,
    height: u32,
    /// Of a core of this machine.
    core_seconds: f64,
    bytes: u64,
    /// 1 if it is rendered as one task.
    bands: usize,
    /// Of the workers now present, if that can be told.
    cores: Option<u64>,
    /// With all of them, if they are as fast as this machine and have nothing else to do.
    seconds: Option<f64>,
}

/// Looks at the fractals that the flags describe and prints what each would take. `band_area` is the largest area
/// rendered as one task, in pixels.
pub async fn run(
    client: &Client,
    args: &CreateArgs,
    band_area: u64,
    out: &mut Output,
) -> anyhow::Result<()> {
    let cores = cores(client).await;
    for request in Ranges::new(args)?.draw_all() {
        let estimate = estimate(&request, band_area, cores)?;
        if args.json {
            out.line(&serde_json::to_string(&estimate)?)?;
        } else {
            out.bytes(table::parameters(&rows(&estimate)).as_bytes())?;
        }
    }
    Ok(())
}

fn estimate(request: &Request, band_area: u64, cores: Option<u64>) -> anyhow::Result<Estimate> {
    // Whether the service takes so large ones is its own business.
    let limits = Limits {
        max_area: u64::MAX,
        band_area,
    };
    let Value::Object(object) = serde_json::to_value(request)? else {
        anyhow::bail!("a request is not an object");
    };
    let request = CreateRequest::parse(&object, &limits, &mut fastrand::Rng::new())?;
    let recipe = &request.recipe;
    let found = probe(Level::best(), recipe, BUDGET, &clock::now, &Watch::new())
        .context("the fractal can't be looked at")?;
    let core_seconds = found.seconds();
    let bands = request.band_area.map_or(1, |area| found.cuts(area).len());
    Ok(Estimate {
        width: recipe.width,
        height: recipe.height,
        core_seconds,
        bytes: found.bytes(),
        bands,
        cores,
        seconds: cores
            .filter(|cores| *cores > 0)
            .map(|cores| core_seconds / cores as f64),
    })
}

/// The cores of the workers present; none if the service can't be asked, for that is not what was wanted.
async fn cores(client: &Client) -> Option<u64> {
    #[derive(Deserialize)]
    struct Row {
        cores: u64,
        last_seen: Timestamp,
    }
    let workers = match client.workers().await {
        Ok(workers) => workers,
        Err(error) => {
            tracing::warn!("{error}; what workers there are is not known");
            return None;
        }
    };
    let recently = Timestamp::from(SystemTime::now()).minus(PRESENT);
    let workers = workers.into_iter();
    let rows = workers.filter_map(|worker| serde_json::from_value::<Row>(worker).ok());
    let present = rows.filter(|row| row.last_seen >= recently);
    Some(present.map(|row| row.cores).sum())
}

fn rows(estimate: &Estimate) -> Vec<(&'static str, String)> {
    let seconds = |seconds: f64| match seconds {
        few if few < 10.0 => format!("about {few:.2} seconds"),
        many => format!("about {many:.0} seconds"),
    };
    let with_cores = match (estimate.cores, estimate.seconds) {
        (Some(cores), Some(time)) => format!("{} with {cores} cores", seconds(time)),
        (Some(_), None) => "no workers are present".to_owned(),
        (None, _) => "-".to_owned(),
    };
    let bands = match estimate.bands {
        1 => "one task".to_owned(),
        bands => format!("{bands} bands"),
    };
    vec![
        (
            "dimensions",
            format!("{} x {} pixels", estimate.width, estimate.height),
        ),
        (
            "work",
            format!("{} of one core", seconds(estimate.core_seconds)),
        ),
        ("time", with_cores),
        ("size", format!("about {} bytes", estimate.bytes)),
        ("rendered as", bands),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimated(cores: Option<u64>) -> Estimate {
        Estimate {
            width: 100_000,
            height: 50_000,
            core_seconds: 120.4,
            bytes: 7,
            bands: 40,
            cores,
            seconds: cores
                .filter(|cores| *cores > 0)
                .map(|cores| 120.4 / cores as f64),
        }
    }

    #[test]
    fn an_estimate_says_what_the_workers_present_would_take() {
        let text = table::parameters(&rows(&estimated(Some(16))));
        for expected in [
            "about 120 seconds of one core",
            "about 7.53 seconds with 16 cores",
            "40 bands",
            "100000 x 50000",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        let nobody = table::parameters(&rows(&estimated(Some(0))));
        assert!(nobody.contains("no workers are present"));
        assert!(table::parameters(&rows(&estimated(None))).contains("| -"));
    }
}
