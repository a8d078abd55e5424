//! What each part of a fractal takes: rendered or read outside the async runtime, stored inside.

mod numbers;

use crate::Worker;
use crate::clock::worked;
use crate::compose::summed_up;
use crate::pipe::{PipeReader, pipe, pipe_back};
use crate::place::Place;
use bytes::Bytes;
use faafo_blob::{ErrorKind, put};
use faafo_kernel::{Frame, Join, Probe, RenderError, Rendered, Watch, is_own_thumbnail, probe};
use faafo_model::poster::Fragment;
use faafo_model::{BlobKey, BlobRef, Format, Manifest, PlannedBand, Recipe};
use futures_util::StreamExt;
use std::io::{Error as IoError, ErrorKind as IoErrorKind, Read, Write};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};

/// The longer side of a thumbnail, in pixels.
const PREVIEW: f64 = 300.0;
/// Pixels of a picture that is stored at once and not while it comes into being.
const SMALL: u64 = 300 * 300;
/// The shortest that a preview's longer side may be.
const LEAST_PREVIEW: f64 = 8.0;
/// Seconds of one core that looking at a poster may take, and its preview.
const PROBE_SECONDS: f64 = 1.0;
const PREVIEW_SECONDS: f64 = 2.0;
/// The longest manifest that is read, in bytes; it names a thousand bands in a tenth of this.
const LONGEST_MANIFEST: u64 = 1 << 20;

/// Why a part came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Storage(#[from] faafo_blob::Error),
    /// A band that was stored is no longer there, or not what it was.
    #[error("a stored band is missing or damaged: {0}")]
    Lost(String),
}

impl Worker {
    /// A whole fractal and its thumbnail.
    pub(crate) async fn whole(
        &self,
        recipe: &Recipe,
        watch: &Watch,
        place: &Place,
    ) -> Result<(BlobRef, BlobRef), Failure> {
        if recipe.format == Format::Npy {
            return self.whole_numbers(recipe, watch, place).await;
        }
        let (renderer, watch) = (Arc::clone(&self.renderer), watch.clone());
        let (recipe, rendered) = (recipe.clone(), recipe.clone());
        let rendering = self.stored(Some((rendered, place)), move |mut out| {
            thumbnail_of(&recipe, renderer.render(&recipe, &watch, &mut out)?)
        });
        let (picture, thumbnail) = rendering.await?;
        Ok((picture, self.thumbnail_beside(picture, thumbnail).await?))
    }

    /// A band of these rows.
    pub(crate) async fn band(
        &self,
        recipe: &Recipe,
        rows: Range<u32>,
        watch: &Watch,
        place: &Place,
    ) -> Result<BlobRef, Failure> {
        if recipe.format == Format::Npy {
            return self.band_of_numbers(recipe, rows, watch, place).await;
        }
        let (renderer, watch) = (Arc::clone(&self.renderer), watch.clone());
        let (recipe, rendered) = (recipe.clone(), recipe.clone());
        let rendering = self.stored(Some((rendered, place)), move |mut out| {
            renderer.render_band(&recipe, rows, &watch, &mut out)
        });
        Ok(rendering.await?.0)
    }

    /// Where to cut a poster, and what it will look like.
    pub(crate) async fn plan(
        &self,
        recipe: &Recipe,
        band_area: u64,
        watch: &Watch,
    ) -> Result<(BlobRef, Vec<PlannedBand>), Failure> {
        let (renderer, recipe, watch) = (Arc::clone(&self.renderer), recipe.clone(), watch.clone());
        let planning = spawn_blocking(move || {
            let found = probe(renderer.level(), &recipe, PROBE_SECONDS, &worked, &watch)?;
            let preview = preview(&recipe, &found);
            let rendered = renderer.render(&preview, &watch, &mut std::io::sink())?;
            let thumbnail = rendered.thumbnail()?;
            let cuts = found.cuts(band_area).into_iter();
            let bands = cuts.map(|cut| PlannedBand {
                rows: cut.rows,
                // Milliseconds are enough, and short to write.
                work: (cut.seconds * 1e3).ceil() as f32 / 1e3,
            });
            Ok::<_, RenderError>((thumbnail, bands.collect()))
        });
        let (thumbnail, bands) = planning.await.map_err(panicked)??;
        Ok((self.thumbnail(thumbnail).await?, bands))
    }

    /// The fractal of stored bands, its thumbnail, and the seconds that the bands took.
    pub(crate) async fn join(
        &self,
        recipe: &Recipe,
        manifest: &BlobKey,
        watch: &Watch,
    ) -> Result<(BlobRef, BlobRef, f64), Failure> {
        if recipe.format == Format::Npy {
            return self.join_numbers(recipe, manifest, watch).await;
        }
        let manifest = self.manifest(manifest).await?;
        let (recipe, watched) = (recipe.clone(), watch.clone());
        let join = move |bands, bytes, out: &mut dyn Write| {
            let mut join = Join::new(&recipe, out)?;
            join.begin(&watched);
            each_band(bands, bytes, |rows, band| join.push(rows, band, &watched))?;
            let (frame, rendered) = join.finish()?;
            Ok((frame, thumbnail_of(&recipe, rendered)?))
        };
        let (picture, thumbnail) = self.joined(&manifest, watch, join).await?;
        let thumbnail = self.thumbnail_beside(picture, thumbnail).await?;
        Ok((picture, thumbnail, manifest.duration))
    }

    /// The file that `join` makes of stored bands, whether it is sent or the store copies it from them, and what else
    /// `join` returns.
    async fn joined<T: Send + 'static>(
        &self,
        manifest: &Manifest,
        watch: &Watch,
        join: impl FnOnce(Bands, PipeReader, &mut dyn Write) -> Result<(Frame, T), RenderError>
        + Send
        + 'static,
    ) -> Result<(BlobRef, T), Failure> {
        let composes = self.composes(&manifest.bands);
        let bands = manifest.fragments().collect();
        let (sender, bytes) = pipe_back();
        let join = move |out: &mut dyn Write| join(bands, bytes, out);
        let joining = async {
            match composes {
                true => summed_up(join).await,
                false => self.stored(None, join).await,
            }
        };
        let feeding = self.feed(manifest.bands.iter(), sender);
        let (fed, joined) = tokio::join!(feeding, joining);
        // If bytes are missing, why they are matters, and not that they do.
        fed?;
        let (file, (frame, more)) = joined.map_err(damaged)?;
        if composes {
            self.compose(&file, &frame, &manifest.bands, watch).await?;
        }
        Ok((file, more))
    }

    async fn manifest(&self, key: &BlobKey) -> Result<Manifest, Failure> {
        let size = self.blobs.size(key).await?;
        let size = size
            .filter(|size| *size <= LONGEST_MANIFEST)
            .ok_or_else(|| Failure::Lost("what bands there are".to_owned()))?;
        let mut pieces = self.blobs.read(key, 0..size).await.map_err(lost)?;
        let mut json = Vec::new();
        while let Some(piece) = pieces.next().await {
            json.extend_from_slice(&piece.map_err(lost)?);
        }
        serde_json::from_slice(&json).map_err(|error| Failure::Lost(error.to_string()))
    }

    /// Sends stored bands one after the other.
    async fn feed(
        &self,
        fragments: impl Iterator<Item = &Fragment>,
        sender: mpsc::Sender<Bytes>,
    ) -> Result<(), Failure> {
        for fragment in fragments {
            let stored = self.blobs.read(&fragment.key, 0..fragment.size).await;
            let mut pieces = stored.map_err(lost)?;
            while let Some(piece) = pieces.next().await {
                if sender.send(piece.map_err(lost)?).await.is_err() {
                    // Whoever reads has given up, and says why.
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn thumbnail(&self, file: Vec<u8>) -> Result<BlobRef, Failure> {
        Ok(put(&*self.blobs, Bytes::from(file)).await?)
    }

    /// Stores the thumbnail of a picture, unless that is its own.
    async fn thumbnail_beside(
        &self,
        picture: BlobRef,
        thumbnail: Option<Vec<u8>>,
    ) -> Result<BlobRef, Failure> {
        match thumbnail {
            Some(file) => self.thumbnail(file).await,
            None => Ok(picture),
        }
    }

    /// Stores what `write` writes; it may block. That is all or a band of what a recipe says, or something else. In debug
    /// builds some recipes are poison to it. What is small leaves its place while it is stored.
    async fn stored<T: Send + 'static>(
        &self,
        rendered: Option<(Recipe, &Place)>,
        write: impl FnOnce(&mut dyn Write) -> Result<T, RenderError> + Send + 'static,
    ) -> Result<(BlobRef, T), Failure> {
        let (poison, place) = rendered.unzip();
        if poison.as_ref().is_some_and(is_small) {
            let writing = spawn_blocking(move || {
                let mut file = Vec::new();
                let written = poisonable(&mut file, poison.as_ref(), write)?;
                Ok::<_, RenderError>((file, written))
            });
            let (file, written) = writing.await.map_err(panicked)??;
            place.inspect(|place| place.leave());
            return Ok((put(&*self.blobs, Bytes::from(file)).await?, written));
        }
        let mut upload = self.blobs.begin().await?;
        let (mut writer, mut pieces) = pipe();
        let writing = spawn_blocking(move || {
            let written = poisonable(&mut writer, poison.as_ref(), write)?;
            writer.flush()?;
            Ok::<_, RenderError>(written)
        });
        while let Some(piece) = pieces.recv().await {
            // On failure the pipe breaks, which ends the writing.
            upload.write(piece).await?;
        }
        let written = writing.await.map_err(panicked)??;
        Ok((upload.finish().await?, written))
    }
}

/// Whether the file of a recipe may be in memory as a whole: it has a megabyte and a half at most.
fn is_small(recipe: &Recipe) -> bool {
    u64::from(recipe.width) * u64::from(recipe.height) <= SMALL
}

/// `None` if the picture is its own thumbnail.
fn thumbnail_of(recipe: &Recipe, rendered: Rendered) -> Result<Option<Vec<u8>>, RenderError> {
    match is_own_thumbnail(recipe) {
        true => Ok(None),
        false => rendered.thumbnail().map(Some),
    }
}

#[cfg(debug_assertions)]
fn poisonable<T>(
    writer: &mut dyn Write,
    recipe: Option<&Recipe>,
    write: impl FnOnce(&mut dyn Write) -> Result<T, RenderError>,
) -> Result<T, RenderError> {
    match recipe {
        Some(recipe) => write(&mut crate::failpoint::Failpoint::new(writer, recipe)),
        None => write(writer),
    }
}

#[cfg(not(debug_assertions))]
fn poisonable<T>(
    writer: &mut dyn Write,
    _recipe: Option<&Recipe>,
    write: impl FnOnce(&mut dyn Write) -> Result<T, RenderError>,
) -> Result<T, RenderError> {
    write(writer)
}

/// The whole view in a few pixels; fewer where each takes long.
fn preview(recipe: &Recipe, found: &Probe) -> Recipe {
    let (width, height) = (f64::from(recipe.width), f64::from(recipe.height));
    let pixels = PREVIEW_SECONDS / found.seconds() * width * height;
    let longest = width.max(height);
    let side = (pixels.sqrt().clamp(LEAST_PREVIEW, PREVIEW)).min(longest);
    numbers::shrunk(recipe, side)
}

/// Stored bands, each with its rows.
type Bands = Vec<(Range<u32>, Fragment)>;

/// Hands on bands that lie one after the other in `bytes`.
fn each_band(
    bands: Bands,
    mut bytes: PipeReader,
    mut push: impl FnMut(Range<u32>, &mut dyn Read) -> Result<(), RenderError>,
) -> Result<(), RenderError> {
    for (rows, fragment) in bands {
        // No band may borrow from the next one's file: the store may copy files.
        let mut band = (&mut bytes).take(fragment.size);
        push(rows, &mut band)?;
        if band.limit() > 0 {
            return Err(
                IoError::new(IoErrorKind::InvalidData, "a band with something behind").into(),
            );
        }
    }
    Ok(())
}

/// Nobody need try again to read what is not there.
pub(crate) fn lost(error: faafo_blob::Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => Failure::Lost(error.to_string()),
        _ => Failure::Storage(error),
    }
}

/// Bytes that are no bands were not read as they were stored.
fn damaged(failure: Failure) -> Failure {
    match failure {
        Failure::Render(RenderError::Io(error)) if is_damage(error.kind()) => {
            Failure::Lost(error.to_string())
        }
        other => other,
    }
}

fn is_damage(kind: IoErrorKind) -> bool {
    use IoErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(kind, InvalidData | InvalidInput | UnexpectedEof)
}

/// What a panic said.
pub(crate) fn panicked(error: JoinError) -> RenderError {
    let other = error.to_string();
    let Ok(panic) = error.try_into_panic() else {
        return RenderError::Panicked(other);
    };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    RenderError::Panicked(text.unwrap_or(other))
}
