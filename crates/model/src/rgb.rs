//! A colour as people write it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Red, green and blue of sRGB; written `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub [u8; 3]);

/// Not a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a colour such as #1c5ec2")]
pub struct NotAColour;

impl Rgb {
    /// The six digits alone.
    pub fn digits(self) -> String {
        let [red, green, blue] = self.0;
        format!("{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.digits())
    }
}

impl FromStr for Rgb {
    type Err = NotAColour;

    /// Reads `#rrggbb`, also without the `#`.
    fn from_str(text: &str) -> Result<Self, NotAColour> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NotAColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| NotAColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl Serialize for Rgb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rgb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_survives_being_written() {
        for colour in [Rgb([0, 0, 0]), Rgb([255, 1, 16])] {
            assert_eq!(colour.to_string().parse(), Ok(colour));
        }
        assert_eq!("1C5ec2".parse(), Ok(Rgb([0x1c, 0x5e, 0xc2])));
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for text in ["", "#", "#12345", "#1234567", "+12345", "#12 456", "ééé"] {
            assert_eq!(text.parse::<Rgb>(), Err(NotAColour), "{text}");
        }
    }
}
