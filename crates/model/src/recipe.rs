//! A recipe: all that determines the bytes of a fractal, and nothing else.

use crate::formula::PARAMETERS;
use crate::{Colouring, Colours, Field, Format, Formula};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Everything needed to render a picture; the same recipe gives the same bytes on every machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Recipe {
    /// The iterated function with its constants.
    #[serde(flatten)]
    pub formula: Formula,
    /// The rectangle of the complex plane that the picture shows.
    #[serde(flatten)]
    pub view: View,
    /// Columns of the picture, in pixels.
    pub width: u32,
    /// Rows of the picture, in pixels.
    pub height: u32,
    /// The most iterations spent on a pixel.
    pub iterations: u32,
    /// The colours.
    pub palette: Palette,
    /// How they are used.
    #[serde(flatten)]
    pub colours: Colours,
    /// What is stored of it.
    #[serde(default, skip_serializing_if = "Format::is_png")]
    pub format: Format,
}

impl Serialize for Recipe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Recipe {
    /// A field that this version doesn't know comes from a newer one: without it the picture would be another.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = serde_json::Map::deserialize(deserializer)?;
        let known = |name: &str| name == PARAMETERS || Field::named(name).is_some();
        if let Some(name) = document.keys().find(|name| !known(name)) {
            return Err(D::Error::custom(format!("a recipe has no field {name:?}")));
        }
        Self::deserialize(serde_json::Value::Object(document)).map_err(D::Error::custom)
    }
}

impl Recipe {
    /// What of an orbit becomes a colour.
    pub fn colouring(&self) -> Colouring {
        self.colours.colouring.unwrap_or(self.palette.colouring())
    }

    /// Whether its picture asks for nothing that recipes could not always ask for. It is what it
    /// always was, to the last byte.
    pub fn is_plain(&self) -> bool {
        let always = matches!(self.palette, Palette::Aurora | Palette::Classic);
        always && self.colours.clone().natural(self.palette) == Colours::default()
    }

    /// The recipe as its canonical document: one line of JSON, the fields in a fixed order and without those that
    /// have their default. Equal recipes have the same document, and every number survives to the last bit.
    pub fn to_json(&self) -> String {
        let mut text = Vec::new();
        let mut writer = serde_json::Serializer::with_formatter(&mut text, Canonical);
        // Numbers and names: nothing of it can fail.
        let _ = self.serialize(&mut writer);
        String::from_utf8(text).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) has written.
    ///
    /// # Errors
    /// What is no recipe, and what says more than this version can draw.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// JSON without negative zeros, which not every database keeps.
struct Canonical;

impl serde_json::ser::Formatter for Canonical {
    fn write_f64<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        value: f64,
    ) -> std::io::Result<()> {
        serde_json::ser::CompactFormatter.write_f64(writer, value + 0.0)
    }
}

/// The first column of pixels lies on real part `xa`, the last on `xb`; the first row on imaginary part `ya`, the
/// last on `yb`. Either may run backwards, which mirrors the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Real part at the left edge.
    pub xa: f64,
    /// Real part at the right edge.
    pub xb: f64,
    /// Imaginary part at the top edge.
    pub ya: f64,
    /// Imaginary part at the bottom edge.
    pub yb: f64,
}

/// Colours in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Palette {
    /// From deep blue over white to amber, and back through the dark.
    #[default]
    Aurora,
    /// The colours of the original First App Application: (i mod 8·32, i mod 16·16, i mod 32·8).
    Classic,
    /// From violet over green to yellow; lightness rises evenly.
    Viridis,
    /// From black over purple to a pale yellow.
    Magma,
    /// From black over red to yellow.
    Inferno,
    /// From blue over magenta to yellow.
    Plasma,
    /// From blue over grey to yellow: the same to people who can't tell red from green.
    Cividis,
    /// The recipe's own [`gradient`](Colours::gradient).
    Gradient,
}

impl Palette {
    /// Every palette, the default first.
    pub const ALL: [Self; 8] = [
        Self::Aurora,
        Self::Classic,
        Self::Viridis,
        Self::Magma,
        Self::Inferno,
        Self::Plasma,
        Self::Cividis,
        Self::Gradient,
    ];

    /// The palettes that recipes always had.
    pub const FIRST: [Self; 2] = [Self::Aurora, Self::Classic];

    /// The palette's name, as the wire and the command line spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aurora => "aurora",
            Self::Classic => "classic",
            Self::Viridis => "viridis",
            Self::Magma => "magma",
            Self::Inferno => "inferno",
            Self::Plasma => "plasma",
            Self::Cividis => "cividis",
            Self::Gradient => "gradient",
        }
    }

    /// The palette of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|palette| palette.name() == name)
    }

    /// The colouring that goes with it if nobody asks for another.
    pub fn colouring(self) -> Colouring {
        match self {
            Self::Classic => Colouring::Classic,
            _ => Colouring::Smooth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"kind":"julia","cx":-0.8,"cy":0.156,"xa":-2.0,"xb":2.0,"ya":-1.5,"yb":1.5,"width":640,"height":480,"iterations":500,"palette":"aurora"}"#;
    const RICH: &str = r##"{"kind":"nova","parameters":{"power":4.0,"relaxation":1.5},"xa":-2.123456789012345,"xb":5e-324,"ya":1e+100,"yb":0.1,"width":1,"height":2,"iterations":3,"palette":"gradient","colouring":"slope","gradient":[{"position":0.0,"colour":"#03051a"},{"position":0.5,"colour":"#ffffff"}],"density":2.5,"offset":-0.5,"interior":"#102030","supersampling":4,"adaptive":true,"depth":16,"format":"npy"}"##;

    #[test]
    fn a_document_comes_back_as_the_same_text() {
        for text in [PLAIN, RICH] {
            assert_eq!(Recipe::from_json(text).unwrap().to_json(), text);
        }
    }

    #[test]
    fn equal_recipes_have_one_document() {
        let shuffled = r#"{"palette":"aurora","depth":8,"width":640,"height":480,"iterations":500,"cy":0.156,"cx":-0.8,
            "density":1,"xb":2,"xa":-2,"yb":1.5,"ya":-1.5,"kind":"julia","gradient":[],"format":"png"}"#;
        assert_eq!(Recipe::from_json(shuffled).unwrap().to_json(), PLAIN);
        let zeros = PLAIN.replace("0.156", "-0.0");
        let zeros = Recipe::from_json(&zeros).unwrap().to_json();
        assert_eq!(zeros, PLAIN.replace("0.156", "0.0"));
    }

    #[test]
    fn what_this_version_can_not_draw_is_refused() {
        let newer = PLAIN.replace('}', r#","fog":1}"#);
        let error = Recipe::from_json(&newer).unwrap_err();
        assert!(error.to_string().contains("fog"), "{error}");
        assert!(Recipe::from_json("{}").is_err());
    }

    #[test]
    fn every_field_of_a_document_is_in_the_table() {
        let recipe = Recipe::from_json(RICH).unwrap();
        let values = crate::FIELDS.iter().map(|field| recipe.value(field));
        let given = values.filter(Option::is_some).count();
        // All but the constant.
        assert_eq!(given, crate::FIELDS.len() - 2);
    }
}
