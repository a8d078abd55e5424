//! A recipe: all that determines the pixels of a fractal, and nothing else.

use crate::Formula;
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
    /// How iteration counts become colours.
    pub palette: Palette,
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

/// How iteration counts become colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Palette {
    /// Smooth colouring over a cyclic gradient from deep blue over white to amber.
    #[default]
    Aurora,
    /// The colours of the original First App Application: (i mod 8·32, i mod 16·16, i mod 32·8).
    Classic,
}

impl Palette {
    /// Every palette, the default first.
    pub const ALL: [Self; 2] = [Self::Aurora, Self::Classic];

    /// The palette's name, as the wire and the command line spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aurora => "aurora",
            Self::Classic => "classic",
        }
    }

    /// The palette of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|palette| palette.name() == name)
    }
}
