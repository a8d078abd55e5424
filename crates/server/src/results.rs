//! Results as old workers send them: `PUT /v1/fractal/<uuid>` with the picture as base64, whole or in pieces.

use crate::error::{ApiError, Result};
use crate::{Server, body, fractals};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use faafo_blob::put as store_blob;
use faafo_model::limits::Mistake;
use faafo_model::request::whole_number;
use faafo_model::{FieldError, Format, Fractal, FractalJson};
use faafo_picture::decode;
use faafo_settlement::{Settled, settle};
use faafo_store::{Finish, LegacyResult, Made};
use serde_json::{Map, Value};
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;

/// The results looked at at the same time.
static TURNS: Semaphore = Semaphore::const_new(8);

/// `PUT /v1/fractal/<uuid>`. Fields of the recipe may be repeated but not changed; what is final stays as it is.
pub(crate) async fn put(
    State(server): State<Server>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FractalJson>> {
    // A result takes some hundred MiB while it is looked at. Old workers don't try again, so they wait.
    let _turn = TURNS.acquire().await;
    let object = body::object(&headers, body).await?;
    let fractal = fractals::find(&server, &uuid).await?;
    let (result, image) = read(&object, &fractal)?;
    if let Some(image) = image.filter(|_| !fractal.state.is_final()) {
        finish(&server, &fractal, &result, image).await?;
    } else {
        server.store.legacy_result(fractal.id, &result).await?;
    }
    Ok(Json(FractalJson::from(
        &fractals::find(&server, &uuid).await?,
    )))
}

fn read(object: &Map<String, Value>, fractal: &Fractal) -> Result<(LegacyResult, Option<Bytes>)> {
    let mut result = LegacyResult::default();
    let mut image = None;
    let row = serde_json::to_value(FractalJson::from(fractal)).unwrap_or_default();
    for (field, value) in object {
        let wrong = |reason: &str| FieldError::new(field, Mistake::Type, reason);
        match (field.as_str(), value) {
            ("duration" | "checksum" | "size" | "generated_by" | "url" | "image", Value::Null) => {}
            ("duration", _) => {
                let seconds = value
                    .as_f64()
                    .filter(|seconds| (0.0..1e12).contains(seconds));
                result.duration =
                    Some(seconds.ok_or_else(|| wrong("must be a number of seconds"))?);
            }
            ("size", _) => {
                let bytes = whole_number(value).filter(|bytes| *bytes >= 0);
                result.size = Some(bytes.ok_or_else(|| wrong("must be a number of bytes"))?);
            }
            ("checksum", _) => {
                result.checksum = Some(text(value, 64).ok_or_else(|| wrong("must be a SHA-256"))?)
            }
            ("generated_by", _) => {
                result.generated_by =
                    Some(text(value, 256).ok_or_else(|| wrong("must be a name"))?);
            }
            ("url", _) => {
                result.url = Some(text(value, 2_000).ok_or_else(|| wrong("must be a URL"))?)
            }
            ("image", _) => {
                let decoded = value.as_str().and_then(|text| STANDARD.decode(text).ok());
                image = Some(Bytes::from(
                    decoded.ok_or_else(|| wrong("must be a PNG in base64"))?,
                ));
            }
            ("uuid", _)
                if value
                    .as_str()
                    .is_some_and(|uuid| uuid.eq_ignore_ascii_case(&fractal.id.to_string())) => {}
            (known, _) if row.get(known) == Some(value) => {}
            (known, _) if row.get(known).is_some() => {
                let reason = "does not change once the fractal is accepted";
                return Err(FieldError::new(known, Mistake::Range, reason).into());
            }
            (unknown, _) => {
                return Err(FieldError::new(
                    unknown,
                    Mistake::Unknown,
                    "no such field of a result",
                )
                .into());
            }
        }
    }
    Ok((result, image))
}

fn text(value: &Value, most: usize) -> Option<String> {
    value
        .as_str()
        .filter(|text| text.len() <= most)
        .map(str::to_owned)
}

async fn finish(
    server: &Server,
    fractal: &Fractal,
    result: &LegacyResult,
    image: Bytes,
) -> Result<()> {
    let thumbnail = check(fractal, image.clone()).await?;
    let mut hasher = faafo_blob::Hasher::default();
    hasher.update(&image);
    let named = hasher.finish();
    if result
        .checksum
        .as_ref()
        .is_some_and(|given| !given.eq_ignore_ascii_case(&named.key.to_string()))
    {
        let reason = format!("does not fit the image, whose SHA-256 is {}", named.key);
        return Err(FieldError::new("checksum", Mistake::Range, reason).into());
    }
    // What is done does not change: whatever comes with the picture is recorded before it.
    let rest = LegacyResult {
        url: result.url.clone(),
        ..LegacyResult::default()
    };
    server.store.legacy_result(fractal.id, &rest).await?;
    // An equal picture may just be going away, or the store be away; then this one is stored anew a moment later.
    for _ in 0..20 {
        let picture = store_blob(&*server.blobs, image.clone()).await?;
        let thumbnail = store_blob(&*server.blobs, thumbnail.clone()).await?;
        let finishes = [Finish {
            id: fractal.id,
            made: Made::Picture { picture, thumbnail },
            duration: result.duration.or(fractal.duration),
            worker: result
                .generated_by
                .clone()
                .or_else(|| fractal.generated_by.clone()),
        }];
        let (blobs, queue) = (&*server.blobs, &*server.queue);
        let now = SystemTime::now().into();
        match settle(&server.store, blobs, queue, &finishes, now).await?[..] {
            [Settled::Done] => return Ok(()),
            [Settled::NotWanted] => {
                server.wake.notify_one();
                return Ok(());
            }
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "the picture could not be stored; send it again",
    ))
}

/// Reads the whole picture and makes its thumbnail.
async fn check(fractal: &Fractal, image: Bytes) -> Result<Bytes> {
    if fractal.recipe.format != Format::Png {
        let reason = "is not what was asked for, which are the numbers behind it";
        return Err(FieldError::new("image", Mistake::Range, reason).into());
    }
    let decoded = tokio::task::spawn_blocking(move || {
        decode::thumbnail_of(std::io::Cursor::new(image), decode::Limits::default())
    });
    let decoded = match decoded.await {
        Ok(Ok(decoded)) => decoded,
        Ok(Err(error)) => {
            return Err(FieldError::new("image", Mistake::Range, error.to_string()).into());
        }
        Err(_) => {
            return Err(ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the service is stopping",
            ));
        }
    };
    let (width, height) = (fractal.recipe.width, fractal.recipe.height);
    if (decoded.width, decoded.height) != (width, height) {
        let reason = format!(
            "must be {width} × {height} pixels, and is {} × {}",
            decoded.width, decoded.height
        );
        return Err(FieldError::new("image", Mistake::Range, reason).into());
    }
    Ok(decoded.thumbnail.into())
}
