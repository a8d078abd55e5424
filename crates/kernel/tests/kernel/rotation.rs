//! Pictures that are turned about their centre.

use crate::{at_every_level, colours, dragon, png_of, renderer};
use faafo_kernel::{Join, Renderer, Watch};
use faafo_model::{Colouring, Format, Formula, Palette, Recipe, View};

/// Iterations and time of each pixel, row by row, as they stand in NumPy's file.
fn numbers(renderer: &Renderer, recipe: &Recipe) -> Vec<[u8; 8]> {
    let (mut band, watch) = (Vec::new(), Watch::new());
    let rows = 0..recipe.height;
    renderer
        .write_npy_band(recipe, rows, &watch, &mut band)
        .unwrap();
    band.as_chunks::<8>().0.to_vec()
}

/// The same view, turned.
fn turned(recipe: &Recipe, degrees: f64) -> Recipe {
    Recipe {
        view: recipe.view.clone().rotated(degrees),
        ..recipe.clone()
    }
}

fn coloured(colouring: Colouring) -> Recipe {
    let mut recipe = dragon(90, 70, 80, Palette::Viridis);
    recipe.colours.colouring = Some(colouring);
    recipe
}

#[test]
fn no_rotation_and_a_full_one_change_nothing() {
    let renderer = renderer(2);
    let recipe = dragon(90, 70, 200, Palette::Aurora);
    assert!(png_of(&renderer, &turned(&recipe, 0.0)) == png_of(&renderer, &recipe));
    for degrees in [360.0, -360.0] {
        let full = turned(&recipe, degrees);
        assert!(numbers(&renderer, &full) == numbers(&renderer, &recipe));
    }
}

#[test]
fn half_a_rotation_swaps_the_edges_on_both_axes() {
    let renderer = renderer(2);
    for colouring in Colouring::ALL {
        let recipe = coloured(colouring);
        let [xa, xb, ya, yb] = recipe.view.edges();
        let swapped = Recipe {
            view: View::rectangle(xb, xa, yb, ya),
            ..recipe.clone()
        };
        for degrees in [180.0, -180.0] {
            let (half, _) = png_of(&renderer, &turned(&recipe, degrees));
            assert!(colours(&half) == colours(&png_of(&renderer, &swapped).0));
        }
    }
}

#[test]
fn a_quarter_moves_what_was_below_to_the_right_also_in_mirrored_pictures() {
    const SIDE: usize = 129;
    let renderer = renderer(2);
    for (a, b) in [(-2.0, 2.0), (2.0, -2.0)] {
        let recipe = Recipe {
            view: View::rectangle(a, b, -2.0, 2.0),
            ..dragon(SIDE as u32, SIDE as u32, 200, Palette::Aurora)
        };
        let before = numbers(&renderer, &recipe);
        let left = numbers(&renderer, &turned(&recipe, 90.0));
        let right = numbers(&renderer, &turned(&recipe, -90.0));
        for (index, number) in before.iter().enumerate() {
            let (row, column) = (index / SIDE, index % SIDE);
            assert_eq!(left[(SIDE - 1 - column) * SIDE + row], *number);
            assert_eq!(right[column * SIDE + (SIDE - 1 - row)], *number);
        }
    }
}

#[test]
fn every_pixel_lies_where_the_turned_rectangle_has_it() {
    let (width, height) = (131, 97);
    let recipe = Recipe {
        formula: Formula::Mandelbrot,
        view: View::rectangle(-1.25, -0.25, -0.5, 0.25),
        ..dragon(width, height, 100, Palette::Aurora)
    };
    let found = numbers(&renderer(2), &turned(&recipe, 33.0));
    let (sin, cos) = 33f64.to_radians().sin_cos();
    let mut same = 0;
    for (index, number) in found.iter().enumerate() {
        let part = |pixel: u32, pixels: u32| f64::from(pixel) / f64::from(pixels - 1) - 0.5;
        let (x, y) = (
            part(index as u32 % width, width),
            part(index as u32 / width, height) * 0.75,
        );
        let c = (-0.75 + x * cos - y * sin, -0.125 + x * sin + y * cos);
        let (mut z, mut count) = ((0.0f64, 0.0f64), 0u32);
        while count < 100 && z.0 * z.0 + z.1 * z.1 <= 4.0 {
            z = (z.0 * z.0 - z.1 * z.1 + c.0, 2.0 * z.0 * z.1 + c.1);
            count += 1;
        }
        same += u32::from(number[..4] == count.to_le_bytes());
    }
    // The last bits of a coordinate may differ, and with them a count at the edge.
    assert!(same > width * height * 99 / 100, "{same}");
}

#[test]
fn a_turned_picture_is_the_same_at_every_level() {
    for colouring in [Colouring::Smooth, Colouring::Distance, Colouring::Slope] {
        let mut recipe = turned(&coloured(colouring), 12.5);
        recipe.colours.supersampling = 2;
        let files = at_every_level(2)
            .into_iter()
            .map(|(level, renderer)| (level, png_of(&renderer, &recipe)));
        let files: Vec<_> = files.collect();
        assert!(files.windows(2).all(|pair| pair[0].1 == pair[1].1));
    }
    let mandelbrot = Recipe {
        formula: Formula::Mandelbrot,
        format: Format::Npy,
        ..turned(&dragon(200, 150, 300, Palette::Aurora), -77.0)
    };
    let numbers = at_every_level(2)
        .into_iter()
        .map(|(_, renderer)| numbers(&renderer, &mandelbrot));
    let numbers: Vec<_> = numbers.collect();
    assert!(numbers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn bands_of_a_turned_picture_make_the_whole() {
    let renderer = renderer(2);
    let watch = Watch::new();
    for palette in [Palette::Aurora, Palette::Classic] {
        let recipe = turned(&dragon(9000, 60, 60, palette), 45.0);
        let (whole, rendered) = png_of(&renderer, &recipe);
        // So many rows are whole blocks of any picture of this width.
        let mut file = Vec::new();
        let mut join = Join::new(&recipe, &mut file).unwrap();
        for rows in [0..28, 28..56, 56..60] {
            let mut band = Vec::new();
            renderer
                .render_band(&recipe, rows.clone(), &watch, &mut band)
                .unwrap();
            join.push(rows, &mut band.as_slice(), &watch).unwrap();
        }
        let (_, joined) = join.finish().unwrap();
        assert!(file == whole && joined.thumbnail().unwrap() == rendered);
    }
}

#[test]
fn light_falls_from_the_left_above_however_a_picture_is_turned() {
    // z⁵ + p looks the same after every quarter of a turn, and so must its slopes.
    let recipe = Recipe {
        formula: Formula::from_parts("multibrot", None, [("power".to_owned(), 5.0)]).unwrap(),
        view: View::rectangle(-2.0, 2.0, -2.0, 2.0),
        width: 65,
        height: 65,
        ..coloured(Colouring::Slope)
    };
    let renderer = renderer(2);
    let seen = |recipe: &Recipe| colours(&png_of(&renderer, recipe).0).2;
    let (before, after) = (seen(&recipe), seen(&turned(&recipe, 90.0)));
    let same = before.iter().zip(&after).filter(|(a, b)| a == b).count();
    assert!(same > 65 * 65 * 99 / 100, "{same}");
}
