//! Numbers, where a recipe asks for them instead of its picture, and the small picture beside them.

use super::{Failure, PREVIEW, each_band, panicked};
use crate::Worker;
use crate::place::Place;
use faafo_kernel::{JoinNpy, Watch};
use faafo_model::{BlobKey, BlobRef, Colours, Format, Recipe};
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// The most samples across a pixel of the small picture: enough for it to look like one of a large picture.
const MOST_SAMPLES: u32 = 3;
/// Where the small picture has several samples across a pixel, the numbers are so many times as dense at least: it takes
/// a quarter of their time at most.
const SPARSER: u32 = 2;

impl Worker {
    /// All numbers of a recipe, and their thumbnail.
    pub(super) async fn whole_numbers(
        &self,
        recipe: &Recipe,
        watch: &Watch,
        place: &Place,
    ) -> Result<(BlobRef, BlobRef), Failure> {
        // Before the file is begun: no store shall wait for its first byte that long.
        let thumbnail = self.beside(recipe, watch).await?;
        let (renderer, watch) = (Arc::clone(&self.renderer), watch.clone());
        let (recipe, rendered) = (recipe.clone(), recipe.clone());
        let writing = self.stored(Some((rendered, place)), move |mut out| {
            renderer.write_npy(&recipe, &watch, &mut out)
        });
        Ok((writing.await?.0, thumbnail))
    }

    /// The numbers of these rows.
    pub(super) async fn band_of_numbers(
        &self,
        recipe: &Recipe,
        rows: Range<u32>,
        watch: &Watch,
        place: &Place,
    ) -> Result<BlobRef, Failure> {
        let (renderer, watch) = (Arc::clone(&self.renderer), watch.clone());
        let (recipe, rendered) = (recipe.clone(), recipe.clone());
        let writing = self.stored(Some((rendered, place)), move |mut out| {
            renderer.write_npy_band(&recipe, rows, &watch, &mut out)
        });
        Ok(writing.await?.0)
    }

    /// The numbers of stored bands, their thumbnail, and the seconds that the bands took.
    pub(super) async fn join_numbers(
        &self,
        recipe: &Recipe,
        manifest: &BlobKey,
        watch: &Watch,
    ) -> Result<(BlobRef, BlobRef, f64), Failure> {
        let thumbnail = self.beside(recipe, watch).await?;
        let manifest = self.manifest(manifest).await?;
        let (recipe, watched) = (recipe.clone(), watch.clone());
        let join = move |bands, bytes, out: &mut dyn Write| {
            let mut join = JoinNpy::new(&recipe, out)?;
            join.begin(&watched);
            each_band(bands, bytes, |rows, band| join.push(rows, band, &watched))?;
            Ok((join.finish()?, ()))
        };
        let (file, ()) = self.joined(&manifest, watch, join).await?;
        Ok((file, thumbnail, manifest.duration))
    }

    /// The thumbnail of numbers.
    async fn beside(&self, recipe: &Recipe, watch: &Watch) -> Result<BlobRef, Failure> {
        let (renderer, small, watch) = (Arc::clone(&self.renderer), small(recipe), watch.aside());
        let rendering = spawn_blocking(move || {
            let rendered = renderer.render(&small, &watch, &mut std::io::sink())?;
            rendered.thumbnail()
        });
        self.thumbnail(rendering.await.map_err(panicked)??).await
    }
}

/// The picture from which the thumbnail of numbers is made. It follows from the recipe alone, as they do.
fn small(recipe: &Recipe) -> Recipe {
    let longest = recipe.width.max(recipe.height);
    let mut small = shrunk(recipe, PREVIEW.min(f64::from(longest)));
    let denser = longest / small.width.max(small.height);
    small.colours.supersampling = (denser / SPARSER).clamp(1, MOST_SAMPLES);
    small
}

/// The whole view in a picture whose longer side has so many pixels. That of numbers has the fewest samples there can be,
/// for they have no more either.
pub(super) fn shrunk(recipe: &Recipe, side: f64) -> Recipe {
    let (width, height) = (f64::from(recipe.width), f64::from(recipe.height));
    let shrunk = |side_of: f64| (side_of * side / width.max(height)).round().max(1.0) as u32;
    let mut colours = recipe.colours.clone();
    if recipe.format == Format::Npy {
        let usual = Colours::default();
        colours.supersampling = usual.supersampling;
        colours.adaptive = usual.adaptive;
    }
    Recipe {
        width: shrunk(width),
        height: shrunk(height),
        colours,
        format: Format::Png,
        ..recipe.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(format: Format, width: u32, height: u32) -> Recipe {
        let json = format!(
            r#"{{"kind": "mandelbrot", "xa": -2, "xb": 1, "ya": -1, "yb": 1, "width": {width}, "height": {height},
            "iterations": 20, "palette": "magma", "supersampling": 8, "adaptive": true, "format": "{}"}}"#,
            format.name()
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn the_picture_beside_numbers_is_small_and_takes_little_of_their_time() {
        for ((width, height), expected, samples) in [
            ((1, 1), (1, 1), 1),
            ((80, 60), (80, 60), 1),
            ((300, 900), (100, 300), 1),
            ((1200, 400), (300, 100), 2),
            ((100_000, 1), (300, 1), 3),
        ] {
            let recipe = recipe(Format::Npy, width, height);
            let small = small(&recipe);
            assert_eq!((small.width, small.height), expected);
            assert_eq!(small.colours.supersampling, samples);
            assert!(small.check().is_ok());
            assert_eq!((small.view, small.format), (recipe.view, Format::Png));
        }
    }

    #[test]
    fn a_preview_of_a_picture_has_its_colours() {
        let picture = recipe(Format::Png, 3000, 1000);
        let small = shrunk(&picture, 300.0);
        assert_eq!((small.width, small.height), (300, 100));
        assert_eq!(small.colours, picture.colours);
    }
}
