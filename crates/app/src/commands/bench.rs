//! `faafo bench`: how fast this machine renders, against what its processor could do at most.

pub mod clock;
mod pictures;

use crate::args::BenchArgs;
use crate::output::Output;
use crate::table;
use clock::Clock;
use faafo_kernel::{Level, Rendered, Renderer, Watch, measure};
use faafo_model::{Palette, Recipe};
use pictures::{FORMULAS_SIDE, Picture};
use serde::Serialize;
use std::num::NonZeroUsize;

/// Everything that was measured. Rates are per second and core, unless they say otherwise.
#[derive(Debug, Serialize)]
struct Report {
    levels: Vec<LevelReport>,
    whole: Vec<WholeReport>,
}

/// How fast orbits are followed at a level.
#[derive(Debug, Serialize)]
struct LevelReport {
    level: &'static str,
    /// Iterations of z² + c that the processor's ports allow at most.
    limit: f64,
    /// Iterations of the inner loop by itself.
    raw: f64,
    pictures: Vec<PictureReport>,
    formulas: Vec<FormulaReport>,
}

/// How fast the orbits of a picture are found at a level.
#[derive(Debug, Serialize)]
struct PictureReport {
    picture: &'static str,
    seconds: f64,
    iterations: f64,
}

/// How fast the orbits of a formula are found at a level.
#[derive(Debug, Serialize)]
struct FormulaReport {
    kind: &'static str,
    iterations: f64,
    pixels: f64,
}

/// A picture with everything: orbits, colours, thumbnail and PNG, on all cores.
#[derive(Debug, Serialize)]
struct WholeReport {
    palette: &'static str,
    pictures: f64,
    /// Bytes of pixels that one core compresses.
    png: f64,
}

/// Measures and prints it.
pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
    if let Some(missing) = args.level.iter().find(|level| !level.is_available()) {
        anyhow::bail!("--level {missing}: this machine doesn't have it");
    }
    let levels: Vec<Level> = match args.level.as_slice() {
        [] => Level::available().collect(),
        levels => levels.to_vec(),
    };
    let best = levels.iter().copied().max().unwrap_or(Level::best());
    let clock = Clock {
        seconds: args.seconds,
    };
    let report = Report {
        levels: levels
            .iter()
            .map(|&level| at_level(&clock, level, args.large && level == best))
            .collect(),
        whole: whole(&clock, best)?,
    };
    let mut out = Output::new();
    if args.json {
        out.line(&serde_json::to_string(&report)?)?;
    } else {
        out.bytes(report.to_text(best).as_bytes())?;
    }
    out.flush()
}

fn at_level(clock: &Clock, level: Level, large: bool) -> LevelReport {
    // Limit and loop take turns, so that both see the same machine.
    let (mut limit, mut raw) = (0.0f64, 0.0f64);
    clock.repeat(|| {
        limit = limit.max(clock.rate(|| measure::port_limit(level, 200_000)));
        raw = raw.max(clock.rate(|| measure::raw_loop(level, 3000)));
    });
    let picture = |picture: &Picture| {
        let orbits = measure::orbits(level, &picture.recipe);
        let (seconds, ()) = clock.fastest(|| measure::follow(level, &picture.recipe));
        PictureReport {
            picture: picture.name,
            seconds,
            iterations: orbits.iterations as f64 / seconds,
        }
    };
    LevelReport {
        level: level.name(),
        limit,
        raw,
        pictures: pictures::known(large).iter().map(picture).collect(),
        formulas: pictures::formulas()
            .map(|recipe| formula(clock, level, &recipe))
            .collect(),
    }
}

fn formula(clock: &Clock, level: Level, recipe: &Recipe) -> FormulaReport {
    let orbits = measure::orbits(level, recipe);
    let (seconds, ()) = clock.fastest(|| measure::follow(level, recipe));
    FormulaReport {
        kind: recipe.formula.kind(),
        iterations: orbits.iterations as f64 / seconds,
        pixels: orbits.pixels as f64 / seconds,
    }
}

fn whole(clock: &Clock, level: Level) -> anyhow::Result<Vec<WholeReport>> {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let renderer = Renderer::at_level(cores, level)?;
    let measured = Palette::FIRST.map(|palette| {
        let recipe = Recipe {
            palette,
            ..pictures::dragon(FORMULAS_SIDE)
        };
        let mut failure = None;
        let pictures = clock.wall_rate(|| {
            let rendered = renderer.render(&recipe, &Watch::new(), &mut std::io::sink());
            let thumbnail = rendered.and_then(Rendered::thumbnail);
            failure = thumbnail.err().or(failure.take());
        });
        let blocks = measure::Blocks::new(level, &recipe, &Watch::new())?;
        let png = clock.rate_of(|| blocks.compress(), |_| blocks.raw_len());
        match failure {
            Some(error) => Err(error),
            None => Ok(WholeReport {
                palette: palette.name(),
                pictures,
                png,
            }),
        }
    });
    measured
        .into_iter()
        .map(|report| report.map_err(anyhow::Error::from))
        .collect()
}

impl Report {
    fn to_text(&self, best: Level) -> String {
        let giga = |rate: f64| format!("{:.2}", rate / 1e9);
        let part = |rate: f64, limit: f64| format!("{:.0} %", 100.0 * rate / limit);
        let mut levels = vec![
            [
                "Level",
                "What",
                "Seconds",
                "10⁹ iterations/s",
                "Of the limit",
            ]
            .map(str::to_owned),
        ];
        for level in &self.levels {
            let name = || level.level.to_owned();
            let dash = || "-".to_owned();
            levels.push([
                name(),
                "port limit".into(),
                dash(),
                giga(level.limit),
                dash(),
            ]);
            levels.push([
                name(),
                "inner loop".into(),
                dash(),
                giga(level.raw),
                part(level.raw, level.limit),
            ]);
            for picture in &level.pictures {
                levels.push([
                    name(),
                    picture.picture.to_owned(),
                    format!("{:.4}", picture.seconds),
                    giga(picture.iterations),
                    part(picture.iterations, level.limit),
                ]);
            }
        }
        let mut formulas =
            vec![["Level", "Formula", "10⁹ iterations/s", "10⁶ pixels/s"].map(str::to_owned)];
        for level in &self.levels {
            for formula in &level.formulas {
                formulas.push([
                    level.level.to_owned(),
                    formula.kind.to_owned(),
                    giga(formula.iterations),
                    format!("{:.1}", formula.pixels / 1e6),
                ]);
            }
        }
        let mut whole = vec![["Palette", "Pictures/s", "PNG MB/s"].map(str::to_owned)];
        for report in &self.whole {
            whole.push([
                report.palette.to_owned(),
                format!("{:.1}", report.pictures),
                format!("{:.0}", report.png / 1e6),
            ]);
        }
        format!(
            "Orbits, on one core\n{}\nFormulas, {side} × {side} pixels, on one core\n{}\n\
             Whole pictures of {side} × {side} pixels on all cores at {best}, and PNG on one\n{}",
            table::columns(&levels),
            table::columns(&formulas),
            table::columns(&whole),
            side = FORMULAS_SIDE,
        )
    }
}
