//! A new installation greets the newcomer with pictures.

use anyhow::Context;
use faafo_model::{Colours, CreateRequest, Format, Formula, Palette, Recipe, View};
use faafo_store::Store;
use std::time::{Duration, SystemTime};

/// Asks for a handful of fractals, by the way that every request takes.
///
/// # Errors
/// When the database refuses them.
pub async fn greet(store: &Store) -> anyhow::Result<()> {
    let begun = SystemTime::now();
    for (number, recipe) in recipes().into_iter().enumerate() {
        // Apart from each other, so that they are made, and stand in the gallery, in this order.
        let now = begun + Duration::from_micros(number as u64);
        let request = CreateRequest {
            id: None,
            recipe,
            priority: 0,
            band_area: None,
        };
        store
            .accept(&request, now.into())
            .await
            .context("can't ask for the first pictures")?;
    }
    Ok(())
}

fn recipes() -> Vec<Recipe> {
    let julia = |cx, cy, xa: f64, ya: f64, iterations, palette| Recipe {
        formula: Formula::Julia { cx, cy },
        view: View::rectangle(xa, -xa, ya, -ya),
        width: 1200,
        height: 900,
        iterations,
        palette,
        colours: Colours::default(),
        format: Format::Png,
    };
    let mandelbrot = |x: f64, y: f64, half_width: f64, iterations| Recipe {
        formula: Formula::Mandelbrot,
        view: View::rectangle(
            x - half_width,
            x + half_width,
            y - half_width * 0.75,
            y + half_width * 0.75,
        ),
        width: 1200,
        height: 900,
        iterations,
        palette: Palette::Aurora,
        colours: Colours::default(),
        format: Format::Png,
    };
    // Seahorse valley, an island in it, and the usual suspects; the last one becomes the first in the gallery.
    vec![
        julia(-0.4, 0.6, -1.6, -1.2, 512, Palette::Classic),
        julia(-0.835, -0.2321, -1.6, -1.2, 512, Palette::Aurora),
        mandelbrot(-0.7435669, 0.1314023, 0.001_15, 2_000),
        julia(0.285, 0.01, -1.5, -1.125, 512, Palette::Aurora),
        mandelbrot(-0.743643135, 0.131825963, 0.000_007_3, 4_000),
        julia(-0.70176, -0.3842, -1.6, -1.2, 512, Palette::Aurora),
        julia(-0.8, 0.156, -1.6, -1.2, 512, Palette::Aurora),
        mandelbrot(-0.65, 0.0, 1.9, 1_000),
    ]
}
