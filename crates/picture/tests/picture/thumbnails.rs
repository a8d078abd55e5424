use crate::colours;
use faafo_picture::thumbnail::{Downscaler, Scale, Strip};
use std::sync::Arc;

/// A colourful picture.
fn colour_at(x: usize, y: u32) -> [u8; 3] {
    [(x * 7) as u8, (y / 3) as u8, (x as u32 ^ y) as u8]
}

fn thumbnail(width: u32, height: u32, colour: impl Fn(usize, u32) -> [u8; 3]) -> Vec<u8> {
    let mut downscaler = Downscaler::new(width, height, 300);
    for y in 0..height {
        let row: Vec<u8> = (0..width as usize).flat_map(|x| colour(x, y)).collect();
        downscaler.add_row(y, &row);
    }
    downscaler.finish().unwrap()
}

#[test]
fn a_small_picture_stays_as_it_is() {
    for (width, height) in [(1, 1), (300, 300), (299, 2), (1, 300)] {
        let seen = colours(&thumbnail(width, height, colour_at));
        assert_eq!((seen.0, seen.1), (width, height));
        let same = (0..height).flat_map(|y| (0..width as usize).map(move |x| colour_at(x, y)));
        assert!(seen.2.into_iter().eq(same));
    }
}

#[test]
fn the_longer_side_becomes_300_and_the_aspect_stays() {
    let size = |width, height| Scale::new(width, height, 300).size();
    assert_eq!(size(301, 301), (300, 300));
    assert_eq!(size(1024, 768), (300, 225));
    assert_eq!(size(768, 1024), (225, 300));
    assert_eq!(size(9999, 9999), (300, 300));
    assert_eq!(size(1_000_000, 1), (300, 1));
    assert_eq!(size(1, u32::MAX), (1, 300));
}

#[test]
fn one_colour_stays_one_colour() {
    for (width, height) in [(301, 301), (1024, 777), (5000, 3), (3, 5000)] {
        for colour in [[0; 3], [255; 3], [1, 128, 254]] {
            let (_, _, seen) = colours(&thumbnail(width, height, |_, _| colour));
            assert!(
                seen.iter().all(|pixel| *pixel == colour),
                "{width} × {height}"
            );
        }
    }
}

#[test]
fn black_and_white_average_in_linear_light() {
    // Half the light of white is sRGB 188, not 128.
    let (_, _, seen) = colours(&thumbnail(600, 600, |x, _| [255 * (x % 2) as u8; 3]));
    assert!(seen.iter().all(|pixel| *pixel == [188; 3]));
}

#[test]
fn the_cut_into_strips_does_not_show() {
    for (width, height) in [(700, 1000), (2500, 3100), (10, 290)] {
        let whole = thumbnail(width, height, colour_at);
        for rows in [1, 7, 33, 1000] {
            let scale = Arc::new(Scale::new(width, height, 300));
            let mut downscaler = Downscaler::with_scale(&scale);
            for first in (0..height).step_by(rows) {
                let mut strip = Strip::new(&scale);
                for y in first..height.min(first + rows as u32) {
                    strip.add_row(y, |x| colour_at(x, y));
                }
                downscaler.add(&strip);
            }
            assert!(downscaler.finish().unwrap() == whole, "{rows} rows a strip");
        }
    }
}

#[test]
fn few_rows_of_a_large_picture_are_wanted() {
    let scale = Scale::new(9999, 9999, 300);
    assert_eq!((0..9999).filter(|y| scale.wants(*y)).count(), 2400);
}
