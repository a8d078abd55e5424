//! A recipe: all that determines the bytes of a fractal, and nothing else.

use crate::{Colouring, Colours, Format, Formula};
use serde::{Deserialize, Serialize};

/// Everything needed to render a picture; the same recipe gives the same bytes on every machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

    /// The recipe in one line of JSON.
    pub fn to_json(&self) -> String {
        // Numbers and names: nothing of it can fail.
        serde_json::to_string(self).unwrap_or_default()
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
