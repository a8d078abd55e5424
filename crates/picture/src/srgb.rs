//! Between sRGB and linear light, by tables.

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

/// The sRGB byte of a linear light from 0 to 1; beyond, that of the nearer.
#[inline]
pub fn byte(light: f32) -> u8 {
    SRGB.byte((light * LINEAR_MAX as f32 + 0.5) as u16)
}

/// The linear light of an sRGB byte, from 0 to 1.
#[inline]
pub fn light_of(byte: u8) -> f32 {
    f32::from(SRGB.linear(byte)) / LINEAR_MAX as f32
}

/// sRGB of 16 bits of a linear light from 0 to 1; beyond, that of the nearer.
#[inline]
pub fn wide(light: f32) -> u16 {
    // Over the root the curve is close to a straight line.
    let place = f64::from(light).clamp(0.0, 1.0).sqrt() * ROOTS as f64;
    let index = (place as usize).min(ROOTS - 1);
    let part = place - index as f64;
    let (here, next) = (WIDE[index], WIDE[index + 1]);
    (here + (next - here) * part + 0.5) as u16
}

/// Entries of [`WIDE`]: as many as keep each value within one of the exact one.
const ROOTS: usize = 4096;

/// sRGB of 16 bits over the root of linear light.
static WIDE: LazyLock<Box<[f64]>> = LazyLock::new(|| {
    let entry = |index: usize| {
        let root = index as f64 / ROOTS as f64;
        let linear = root * root;
        let value = if linear <= 0.003_130_8 {
            linear * 12.92
        } else {
            1.055 * libm::pow(linear, 1.0 / 2.4) - 0.055
        };
        value * LINEAR_MAX
    };
    (0..=ROOTS).map(entry).collect()
});

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
        for byte in 0..=255 {
            assert_eq!(super::byte(light_of(byte)), byte);
        }
        assert_eq!((super::byte(-1.0), super::byte(2.0)), (0, 255));
        assert_eq!(SRGB.linear(255), 65_535);
        assert_eq!(SRGB.byte(0), 0);
    }

    #[test]
    fn wide_values_are_as_good_as_exact() {
        let exact = |linear: f64| match linear {
            _ if linear <= 0.003_130_8 => linear * 12.92,
            _ => 1.055 * libm::pow(linear, 1.0 / 2.4) - 0.055,
        };
        for step in 0..=100_000 {
            let linear = f64::from(step) / 100_000.0;
            let error = f64::from(wide(linear as f32)) - exact(linear) * LINEAR_MAX;
            assert!(error.abs() < 1.0, "{linear}: {error}");
        }
        assert_eq!((wide(-1.0), wide(f32::NAN), wide(2.0)), (0, 0, 65_535));
    }
}
