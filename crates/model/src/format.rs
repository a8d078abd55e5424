//! What a fractal is stored as.

use serde::{Deserialize, Serialize};

/// The kind of file that is made of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A picture: PNG.
    #[default]
    Png,
    /// The numbers behind it, for NumPy: of each pixel the iterations and the continuous escape time. What the recipe
    /// says about colours is for the thumbnail, which is a picture all the same.
    Npy,
}

impl Format {
    /// Every format, the default first.
    pub const ALL: [Self; 2] = [Self::Png, Self::Npy];

    /// The name, as the wire and the command line spell it, and with which the names of such files end.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Npy => "npy",
        }
    }

    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Whether it is the one that goes without saying: recipes from before there was another say nothing about it.
    pub fn is_png(&self) -> bool {
        *self == Self::Png
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_a_name_of_its_own() {
        for format in Format::ALL {
            assert_eq!(Format::named(format.name()), Some(format));
            let text = serde_json::to_string(&format).unwrap();
            assert_eq!(text, format!("{:?}", format.name()));
        }
        assert_eq!(Format::named("gif"), None);
    }
}
