//! A fractal's row, and how the wire shows it.

use crate::request::parameter_names;
use crate::{Bands, Colours, Format, Palette, Recipe, State, Timestamp, Uuid};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// One requested picture: its recipe and all that is known about it. The row is the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Fractal {
    /// Its name for ever.
    pub id: Uuid,
    /// What to render.
    pub recipe: Recipe,
    /// Where it stands.
    pub state: State,
    /// The higher, the sooner; above 0 it overtakes what is queued already.
    pub priority: i64,
    /// How many tries were begun; the current task's number.
    pub attempt: u32,
    /// The part rendered, 0 to 1.
    pub progress: f64,
    /// Why it failed, or why the last try was given back.
    pub error: Option<String>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it became done, failed or cancelled.
    pub finished_at: Option<Timestamp>,
    /// Of a poster whose bands are being rendered: seconds until they are done, as far as that can be told.
    pub eta: Option<f64>,
    /// Seconds the worker took.
    pub duration: Option<f64>,
    /// SHA-256 of the picture, in hexadecimal; an old worker may have sent something else before its picture.
    pub checksum: Option<String>,
    /// Length of the picture, in bytes.
    pub size: Option<u64>,
    /// The worker's name.
    pub generated_by: Option<String>,
    /// Where else the picture lies; only ever set by old workers.
    pub url: Option<String>,
}

/// A fractal as the REST interface shows it: the original's fields with their names and types, and ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of Fractal and Recipe")]
pub struct FractalJson {
    pub checksum: Option<String>,
    pub duration: Option<f64>,
    pub generated_by: Option<String>,
    pub height: u32,
    pub iterations: u32,
    pub size: Option<u64>,
    pub url: Option<String>,
    pub uuid: Uuid,
    pub width: u32,
    pub xa: f64,
    pub xb: f64,
    pub ya: f64,
    pub yb: f64,
    pub kind: String,
    pub cx: Option<f64>,
    pub cy: Option<f64>,
    #[serde(flatten, deserialize_with = "known_parameters")]
    pub parameters: BTreeMap<String, f64>,
    pub palette: Palette,
    #[serde(flatten)]
    pub colours: Colours,
    #[serde(default, skip_serializing_if = "Format::is_png")]
    pub format: Format,
    pub state: State,
    pub progress: f64,
    #[serde(default)]
    pub priority: i64,
    pub attempt: u32,
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Of a poster: seconds until its bands are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<f64>,
    /// Of a poster, where one fractal is asked for: how its bands stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bands: Option<Bands>,
}

impl From<&Fractal> for FractalJson {
    fn from(fractal: &Fractal) -> Self {
        let recipe = &fractal.recipe;
        let constant = recipe.formula.constant();
        Self {
            checksum: fractal.checksum.clone(),
            duration: fractal.duration,
            generated_by: fractal.generated_by.clone(),
            height: recipe.height,
            iterations: recipe.iterations,
            size: fractal.size,
            url: fractal.url.clone(),
            uuid: fractal.id,
            width: recipe.width,
            xa: recipe.view.xa,
            xb: recipe.view.xb,
            ya: recipe.view.ya,
            yb: recipe.view.yb,
            kind: recipe.formula.kind().to_owned(),
            cx: constant.map(|(cx, _)| cx),
            cy: constant.map(|(_, cy)| cy),
            parameters: recipe
                .formula
                .parameters()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            palette: recipe.palette,
            colours: recipe.colours.clone(),
            format: recipe.format,
            state: fractal.state,
            progress: fractal.progress,
            priority: fractal.priority,
            attempt: fractal.attempt,
            error: fractal.error.clone(),
            created_at: fractal.created_at,
            finished_at: fractal.finished_at,
            eta: fractal.eta,
            bands: None,
        }
    }
}

/// The parameters among the fields that are not named here; others may come from a newer service.
fn known_parameters<'de, D: Deserializer<'de>>(
    fields: D,
) -> Result<BTreeMap<String, f64>, D::Error> {
    let names = parameter_names();
    let fields = BTreeMap::<String, serde_json::Value>::deserialize(fields)?;
    let known = fields
        .into_iter()
        .filter(|(name, _)| names.contains(name.as_str()));
    Ok(known
        .filter_map(|(name, value)| Some((name, value.as_f64()?)))
        .collect())
}
