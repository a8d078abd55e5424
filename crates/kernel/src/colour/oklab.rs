//! The Oklab colour space (Björn Ottosson, "A perceptual color space for image processing", 2020). Logarithms and roots
//! come from `libm`, whose bits do not depend on the platform.

/// Oklab of an sRGB colour.
pub(crate) fn oklab(srgb: [u8; 3]) -> [f64; 3] {
    let [red, green, blue] = srgb.map(|byte| to_linear(f64::from(byte) / 255.0));
    let long = libm::cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
    let medium = libm::cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
    let short = libm::cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
    [
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    ]
}

/// The linear light of an Oklab colour, each channel clipped to 0..=1.
pub(crate) fn light([lightness, a, b]: [f64; 3]) -> [f64; 3] {
    let cube = |x: f64| x * x * x;
    let long = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
    let medium = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
    let short = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
    [
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    ]
    .map(|linear| linear.clamp(0.0, 1.0))
}

/// The sRGB bytes of a linear light.
pub(crate) fn bytes(light: [f64; 3]) -> [u8; 3] {
    light.map(|linear| libm::round(from_linear(linear) * 255.0) as u8)
}

fn to_linear(value: f64) -> f64 {
    if value <= 0.04045 {
        value / 12.92
    } else {
        libm::pow((value + 0.055) / 1.055, 2.4)
    }
}

fn from_linear(value: f64) -> f64 {
    if value <= 0.0031308 {
        value * 12.92
    } else {
        1.055 * libm::pow(value, 1.0 / 2.4) - 0.055
    }
}
