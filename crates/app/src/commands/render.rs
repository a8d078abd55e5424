//! `faafo render`: a picture made here, by the kernel that workers use.

use crate::args::RenderArgs;
use crate::commands::create::draw::Ranges;
use anyhow::{Context, ensure};
use faafo_kernel::{Renderer, Watch};
use faafo_model::{CreateRequest, Format, Limits, Recipe};
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;

/// Renders a recipe into a file. Nothing is left of one that failed.
pub fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let recipe = recipe(args)?;
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let renderer = Renderer::new(cores).context("can't start threads")?;
    let path = &args.output;
    ensure!(!path.is_dir(), "{} is a folder", path.display());
    let file = File::create(path).with_context(|| format!("can't write {}", path.display()))?;
    let mut out = BufWriter::new(file);
    let watch = Watch::new();
    let rendered = match recipe.format {
        Format::Png => renderer.render(&recipe, &watch, &mut out).map(drop),
        Format::Npy => renderer.write_npy(&recipe, &watch, &mut out),
    };
    let written = rendered.map_err(anyhow::Error::from);
    let written = written.and_then(|()| Ok(out.flush()?));
    if written.is_err() {
        // What is there already says more than what became of its beginning.
        let _ = std::fs::remove_file(path);
    }
    written.with_context(|| format!("can't render {}", path.display()))
}

/// The recipe that a service would make of the flags.
fn recipe(args: &RenderArgs) -> anyhow::Result<Recipe> {
    let request = Ranges::of_one(&args.recipe)?.draw_all().pop();
    let object: Map<String, Value> = match request.map(serde_json::to_value).transpose()? {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    // Here nobody else needs the memory or the time.
    let limits = Limits {
        max_area: u64::MAX,
        ..Limits::default()
    };
    let mut rng = fastrand::Rng::new();
    let request = CreateRequest::parse(&object, &limits, &mut rng)?;
    Ok(request.recipe)
}
