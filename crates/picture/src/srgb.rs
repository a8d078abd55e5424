//! Between sRGB bytes and linear light of 16 bits, by tables.

use std::sync::LazyLock;

/// White in linear light.
const LINEAR_MAX: f64 = 65_535.0;

/// Both directions' tables.
pub(crate) struct Srgb {
    linear: [u16; 256],
    byte: Box<[u8]>,
}

/// The tables, made on first use. They come from `libm`, whose bits do not depend on the platform.
pub(crate) static SRGB: LazyLock<Srgb> = LazyLock::new(Srgb::new);

impl Srgb {
    fn new() -> Self {
        let mut linear = [0; 256];
        let mut byte = vec![0; 1 << 16].into_boxed_slice();
        for value in 0..=255u8 {
            linear[usize::from(value)] = light(f64::from(value)) as u16;
            let from = light(f64::from(value) - 0.5).max(0.0) as usize;
            byte[from..].fill(value);
        }
        Self { linear, byte }
    }

    /// Linear light of an sRGB byte.
    #[inline]
    pub(crate) fn linear(&self, byte: u8) -> u16 {
        self.linear[usize::from(byte)]
    }

    /// The sRGB byte nearest to a linear light.
    #[inline]
    pub(crate) fn byte(&self, linear: u16) -> u8 {
        self.byte[usize::from(linear)]
    }
}

/// IEC 61966-2-1's curve, from 0..=255 to 0..=65535, rounded.
fn light(byte: f64) -> f64 {
    let value = byte / 255.0;
    let linear = if value <= 0.04045 {
        value / 12.92
    } else {
        libm::pow((value + 0.055) / 1.055, 2.4)
    };
    libm::round(linear * LINEAR_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_way_there_and_back() {
        for byte in 0..=255 {
            assert_eq!(SRGB.byte(SRGB.linear(byte)), byte);
        }
        assert_eq!(SRGB.linear(255), 65_535);
        assert_eq!(SRGB.byte(0), 0);
    }
}
