//! Fractals to rows and back.

use crate::Error;
use faafo_model::{
    BlobKey, Colours, Format, Formula, Fractal, Palette, Part, Poster, Recipe, Stage, Timestamp,
    Uuid, View,
};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// The columns in the order in which [`read`] expects them.
pub(crate) const COLUMNS: &str = "uuid, kind, cx, cy, parameters, colours, xa, xb, ya, yb, width, height, iterations, palette, format, priority, \
     state, attempt, progress, error, created_at, finished_at, duration, checksum, size, generated_by, url, picture, thumbnail, \
     stage, band_area, eta, manifest, parent, band_first, band_rows";

/// A row as a fractal.
///
/// # Errors
/// [`crate::ErrorKind::Corrupt`] for a row that this program can't have written.
pub(crate) fn read(row: &AnyRow) -> Result<Fractal, Error> {
    let uuid: String = row.try_get("uuid")?;
    let corrupt =
        |column: &str| Error::corrupt(format!("fractal {uuid}: column {column} makes no sense"));
    let whole = |column: &str| -> Result<u32, Error> {
        u32::try_from(row.try_get::<i64, _>(column)?).map_err(|_| corrupt(column))
    };
    let parameters: Option<String> = row.try_get("parameters")?;
    let parameters: BTreeMap<String, f64> = parameters
        .map_or(Ok(BTreeMap::new()), |json| serde_json::from_str(&json))
        .map_err(|_| corrupt("parameters"))?;
    let colours: Option<String> = row.try_get("colours")?;
    let colours = colours
        .map_or(Ok(Colours::default()), |json| serde_json::from_str(&json))
        .map_err(|_| corrupt("colours"))?;
    let kind: String = row.try_get("kind")?;
    let (cx, cy): (Option<f64>, Option<f64>) = (row.try_get("cx")?, row.try_get("cy")?);
    let formula =
        Formula::from_parts(&kind, cx.zip(cy), parameters).ok_or_else(|| corrupt("kind"))?;
    let recipe = Recipe {
        formula,
        view: View::rectangle(
            row.try_get("xa")?,
            row.try_get("xb")?,
            row.try_get("ya")?,
            row.try_get("yb")?,
        ),
        width: whole("width")?,
        height: whole("height")?,
        iterations: whole("iterations")?,
        palette: Palette::named(&row.try_get::<String, _>("palette")?)
            .ok_or_else(|| corrupt("palette"))?,
        colours,
        format: Format::named(&row.try_get::<String, _>("format")?)
            .ok_or_else(|| corrupt("format"))?,
    };
    let key = |column: &str| -> Result<Option<BlobKey>, Error> {
        let text: Option<String> = row.try_get(column)?;
        text.map(|text| text.parse().map_err(|_| corrupt(column)))
            .transpose()
    };
    Ok(Fractal {
        id: Uuid::try_parse(&uuid).map_err(|_| corrupt("uuid"))?,
        recipe,
        state: row
            .try_get::<String, _>("state")?
            .parse()
            .map_err(|_| corrupt("state"))?,
        priority: row.try_get("priority")?,
        attempt: whole("attempt")?,
        progress: row.try_get("progress")?,
        error: row.try_get("error")?,
        created_at: Timestamp(row.try_get("created_at")?),
        finished_at: row.try_get::<Option<i64>, _>("finished_at")?.map(Timestamp),
        duration: row.try_get("duration")?,
        checksum: row.try_get("checksum")?,
        size: row
            .try_get::<Option<i64>, _>("size")?
            .and_then(|size| u64::try_from(size).ok()),
        generated_by: row.try_get("generated_by")?,
        url: row.try_get("url")?,
        picture: key("picture")?,
        thumbnail: key("thumbnail")?,
        poster: poster(row)?,
    })
}

fn stage(row: &AnyRow) -> Result<Option<Stage>, Error> {
    let stage: Option<String> = row.try_get("stage")?;
    let stage = stage.map(|stage| stage.parse()).transpose();
    stage.map_err(|error| Error::corrupt(format!("column stage: {error}")))
}

fn poster(row: &AnyRow) -> Result<Option<Poster>, Error> {
    let eta = row.try_get("eta")?;
    Ok(stage(row)?.map(|stage| Poster { stage, eta }))
}

/// The part of its recipe that the row's task is about; none while a poster waits for its bands.
///
/// # Errors
/// As of [`read`].
pub(crate) fn part(row: &AnyRow) -> Result<Option<Part>, Error> {
    let corrupt = || Error::corrupt("a band or poster makes no sense");
    if let Some(parent) = row.try_get::<Option<String>, _>("parent")? {
        let rows = |column: &str| -> Result<u32, Error> {
            u32::try_from(row.try_get::<i64, _>(column)?).map_err(|_| corrupt())
        };
        return Ok(Some(Part::Band {
            poster: Uuid::try_parse(&parent).map_err(|_| corrupt())?,
            first: rows("band_first")?,
            rows: rows("band_rows")?,
        }));
    }
    Ok(match stage(row)? {
        None => Some(Part::Whole),
        Some(Stage::Plan) => Some(Part::Plan {
            band_area: u64::try_from(row.try_get::<i64, _>("band_area")?).map_err(|_| corrupt())?,
        }),
        Some(Stage::Bands) => None,
        Some(Stage::Join) => {
            let manifest: Option<String> = row.try_get("manifest")?;
            let manifest = manifest.and_then(|key| key.parse().ok());
            Some(Part::Join {
                manifest: manifest.ok_or_else(corrupt)?,
            })
        }
    })
}
