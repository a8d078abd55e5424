//! Everything about colours that a plain recipe has not.

use crate::same_bytes::sha256;
use crate::{at_every_level, colours, dragon, endless, png_of, renderer};
use faafo_formula::{Constant, KINDS};
use faafo_kernel::{RenderError, Watch, is_own_thumbnail};
use faafo_model::{Colouring, Colours, Format, Formula, Palette, Recipe, Rgb, Stop, View};
use proptest::prelude::*;
use std::io::Cursor;
use std::time::{Duration, Instant};

/// A dragon in some colouring.
fn coloured(colouring: Colouring, palette: Palette) -> Recipe {
    Recipe {
        colours: Colours {
            colouring: Some(colouring),
            ..Colours::default()
        },
        ..dragon(120, 90, 300, palette)
    }
}

/// From black to white.
fn grey() -> Vec<Stop> {
    let stop = |position, byte| Stop {
        position,
        colour: Rgb([byte; 3]),
    };
    vec![stop(0.0, 0), stop(1.0, 255)]
}

fn info(file: &[u8]) -> png::Info<'static> {
    let reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
    reader.info().clone()
}

/// These change only when a colouring, a palette or the compressor is changed on purpose: all machines must agree on
/// them.
#[test]
fn bytes_of_every_colouring_are_those_of_every_other_machine() {
    let expected = [
        "a06eba33bd91e8ef7f6c67ad09647a79a1873a6d3d95f393b55a786b853b10ce",
        "6de63909ebcee5e61cd0efded1e65751adc3508a9602c0b65bf82736865539e3",
        "6a252d5193f1beba8e50ec44edc1b7ee95f230da84e7929043044fbe1c315506",
        "2e5d5049dc0f37b51d1ea84b520498456902254bb4b73923795a50b316a97e4c",
        "4ee865d5900e030e720ad326c48f818f2b7ddb4742598ee4ff3f97b4c0338d27",
        "b6748e6eb9265651feeede2c5ef6db0815fcaedafbf03407c02ca084d1f9802a",
        "227a7f9b00e9dd30e4ce94b630f365d91d9663ef21422fe34a5d451cae48c248",
        "7f0ad16ad2105bacf1b419dc4fb0126f5e58b29c697549c884ead33450e69d44",
    ];
    let mut seen = Vec::new();
    for (colouring, palette) in Colouring::ALL.into_iter().zip(Palette::ALL) {
        let recipe = Recipe {
            colours: Colours {
                gradient: if palette == Palette::Gradient {
                    grey()
                } else {
                    Vec::new()
                },
                density: 1.5,
                ..coloured(colouring, palette).colours
            },
            ..coloured(colouring, palette)
        };
        let mut files = Vec::new();
        for threads in [1, 7] {
            for (level, renderer) in at_every_level(threads) {
                files.push((level, threads, sha256(&png_of(&renderer, &recipe).0)));
            }
        }
        for (level, threads, file) in &files {
            assert_eq!(*file, files[0].2, "{level}, {threads} threads, {recipe:?}");
        }
        seen.push(files[0].2.clone());
    }
    assert_eq!(seen, expected);
}

/// Recipes of every kind in every colouring.
fn recipe() -> impl Strategy<Value = Recipe> {
    let formula = (0..KINDS.len(), -1.5..0.5, -1.0..1.0).prop_map(|(kind, cx, cy)| {
        let kind = KINDS[kind];
        let constant = match kind.constant {
            Constant::Needed => Some((cx, cy)),
            Constant::Possible if cx < -0.5 => Some((cx, cy)),
            _ => None,
        };
        Formula::new(kind, constant).unwrap()
    });
    let colours = (
        0..Colouring::ALL.len(),
        0.1..4.0,
        -2.0..2.0,
        1..5u32,
        any::<[bool; 3]>(),
    );
    let colours = colours.prop_map(
        |(colouring, density, offset, samples, [adaptive, wide, inside])| Colours {
            colouring: Some(Colouring::ALL[colouring]),
            gradient: Vec::new(),
            density,
            offset,
            interior: inside.then_some(Rgb([1, 2, 200])),
            supersampling: samples,
            adaptive: adaptive && samples > 2,
            depth: if wide { 16 } else { 8 },
        },
    );
    let view = (-1.5..1.5, -1.2..1.2, 0..30, any::<bool>());
    let view = view.prop_map(|(x, y, zoom, mirrored)| {
        let reach = 3.0 * 0.5f64.powi(zoom) * if mirrored { -1.0 } else { 1.0 };
        View::rectangle(x - reach, x + reach, y - reach, y + reach)
    });
    (
        formula,
        colours,
        view,
        0..7usize,
        1..50u32,
        1..30u32,
        1..400u32,
    )
        .prop_map(
            |(formula, colours, view, palette, width, height, iterations)| Recipe {
                formula,
                view,
                width,
                height,
                iterations,
                palette: Palette::ALL[palette],
                colours,
                format: Format::Png,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_recipes_in_every_colouring_agree_at_every_level(recipe in recipe()) {
        let mut files = at_every_level(2).into_iter().map(|(level, renderer)| (level, png_of(&renderer, &recipe)));
        let (_, first) = files.next().unwrap();
        for (level, file) in files {
            prop_assert!(file == first, "{level}: {recipe:?}");
        }
        let one = png_of(&renderer(1), &recipe);
        prop_assert!(one == first, "one thread: {recipe:?}");
    }
}

#[test]
fn a_picture_tells_its_recipe_unless_it_is_plain() {
    let recipe = coloured(Colouring::Distance, Palette::Viridis);
    let (file, _) = png_of(&renderer(1), &recipe);
    let texts = info(&file).uncompressed_latin1_text;
    let text = |keyword: &str| texts.iter().find(|text| text.keyword == keyword);
    let told: Recipe = serde_json::from_str(&text("Recipe").unwrap().text).unwrap();
    assert_eq!(told, recipe);
    assert!(text("Software").unwrap().text.starts_with("faafo"));
    for palette in Palette::FIRST {
        let (file, _) = png_of(&renderer(1), &dragon(10, 10, 10, palette));
        assert!(info(&file).uncompressed_latin1_text.is_empty());
        // What is said without being needed makes no difference.
        let natural = coloured(palette.colouring(), palette);
        let plain = dragon(120, 90, 300, palette);
        assert!(png_of(&renderer(1), &natural) == png_of(&renderer(1), &plain));
    }
}

#[test]
fn few_colours_are_stored_as_indices() {
    let inside = Rgb([200, 0, 100]);
    for palette in [Palette::Classic, Palette::Aurora, Palette::Magma] {
        let mut recipe = coloured(Colouring::Classic, palette);
        // The dragon has no interior.
        recipe.formula = Formula::Mandelbrot;
        recipe.colours.interior = Some(inside);
        let (file, thumbnail) = png_of(&renderer(1), &recipe);
        assert_eq!(info(&file).color_type, png::ColorType::Indexed);
        let (.., pixels) = colours(&file);
        assert!(pixels.contains(&inside.0));
        assert_eq!(colours(&thumbnail), colours(&file));
    }
    for colouring in [Colouring::Smooth, Colouring::Trap] {
        let (file, _) = png_of(&renderer(1), &coloured(colouring, Palette::Magma));
        assert_eq!(info(&file).color_type, png::ColorType::Rgb);
    }
}

#[test]
fn a_picture_that_is_its_own_thumbnail_has_the_colours_that_it_would_have() {
    for colouring in Colouring::ALL {
        for supersampling in [1, 3] {
            let mut recipe = coloured(colouring, Palette::Magma);
            recipe.colours.supersampling = supersampling;
            assert!(is_own_thumbnail(&recipe), "{recipe:?}");
            let (file, thumbnail) = png_of(&renderer(1), &recipe);
            assert_eq!(colours(&thumbnail), colours(&file), "{colouring:?}");
            recipe.colours.depth = 16;
            assert!(!is_own_thumbnail(&recipe));
        }
    }
    assert!(is_own_thumbnail(&dragon(300, 300, 10, Palette::Aurora)));
    assert!(!is_own_thumbnail(&dragon(301, 1, 10, Palette::Aurora)));
}

#[test]
fn an_offset_moves_classic_colours_and_nothing_else() {
    let plain = dragon(120, 90, 300, Palette::Classic);
    let mut moved = coloured(Colouring::Classic, Palette::Classic);
    moved.colours.offset = 3.0 / 32.0;
    let (.., plain) = colours(&png_of(&renderer(1), &plain).0);
    let (.., moved) = colours(&png_of(&renderer(1), &moved).0);
    for (before, after) in plain.into_iter().zip(moved) {
        let index = u32::from(before[2] / 8) + 3;
        let expected = [index % 8 * 32, index % 16 * 16, index % 32 * 8];
        assert_eq!(after.map(u32::from), expected);
    }
}

#[test]
fn sixteen_bits_agree_with_eight_and_say_more() {
    for colouring in [Colouring::Smooth, Colouring::Slope, Colouring::Histogram] {
        let narrow = coloured(colouring, Palette::Viridis);
        let mut wide = narrow.clone();
        wide.colours.depth = 16;
        let (file, thumbnail) = png_of(&renderer(2), &wide);
        assert_eq!(info(&file).bit_depth, png::BitDepth::Sixteen);
        let mut reader = png::Decoder::new(Cursor::new(&file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let (.., eight) = colours(&png_of(&renderer(2), &narrow).0);
        let mut low = std::collections::BTreeSet::new();
        for (wide, narrow) in pixels.as_chunks::<2>().0.iter().zip(eight.as_flattened()) {
            let value = f64::from(u16::from_be_bytes(*wide)) / 257.0;
            assert!((value - f64::from(*narrow)).abs() < 3.0, "{value} {narrow}");
            low.insert(wide[1]);
        }
        assert!(low.len() > 100);
        let (.., thumbnail) = colours(&thumbnail);
        assert_eq!(thumbnail.len(), eight.len());
    }
}

#[test]
fn a_pixel_is_the_average_of_its_samples_in_linear_light() {
    let mut averaged = coloured(Colouring::Smooth, Palette::Viridis);
    averaged.iterations = 20;
    averaged.colours.supersampling = 2;
    // The picture whose pixels are these samples.
    let mut samples = averaged.clone();
    samples.colours.supersampling = 1;
    (samples.width, samples.height) = (2 * averaged.width, 2 * averaged.height);
    let margin = |a: f64, b: f64, pixels: u32| {
        let quarter = (b - a) / f64::from(pixels - 1) / 4.0;
        (a - quarter, b + quarter)
    };
    let [xa, xb, ya, yb] = averaged.view.edges();
    let (xa, xb) = margin(xa, xb, averaged.width);
    let (ya, yb) = margin(ya, yb, averaged.height);
    samples.view = View::rectangle(xa, xb, ya, yb);
    let (width, _, averages) = colours(&png_of(&renderer(2), &averaged).0);
    let (.., fine) = colours(&png_of(&renderer(2), &samples).0);
    let light = |byte: u8| {
        let value = f64::from(byte) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    let mut worst = 0.0f64;
    for (index, average) in averages.iter().enumerate() {
        let (x, y) = (index % width as usize, index / width as usize);
        for channel in 0..3 {
            let sample = |dx: usize, dy: usize| {
                light(fine[(2 * y + dy) * 2 * width as usize + 2 * x + dx][channel])
            };
            let mean = (sample(0, 0) + sample(0, 1) + sample(1, 0) + sample(1, 1)) / 4.0;
            worst = worst.max((mean - light(average[channel])).abs());
        }
    }
    assert!(worst < 0.02, "{worst}");
}

#[test]
fn adaptive_samples_look_like_all_of_them() {
    let mut all = coloured(Colouring::Smooth, Palette::Aurora);
    all.colours.supersampling = 4;
    let mut some = all.clone();
    some.colours.adaptive = true;
    let (.., all) = colours(&png_of(&renderer(2), &all).0);
    let (.., some) = colours(&png_of(&renderer(2), &some).0);
    let far = all.iter().zip(&some).filter(|(a, b)| {
        let mut channels = a.iter().zip(*b);
        channels.any(|(a, b)| a.abs_diff(*b) > 24)
    });
    assert!(far.count() < all.len() / 100);
}

#[test]
fn a_histogram_uses_all_colours_alike() {
    let mut recipe = coloured(Colouring::Histogram, Palette::Gradient);
    recipe.colours.gradient = grey();
    let (.., mut pixels) = colours(&png_of(&renderer(2), &recipe).0);
    pixels.sort_unstable();
    // Of even steps of lightness, those at a quarter, a half and three quarters.
    for (part, byte) in [(1, 34), (2, 99), (3, 174)] {
        let here = pixels[pixels.len() * part / 4][0];
        assert!(here.abs_diff(byte) < 12, "{part}/4: {here}");
    }
}

#[test]
fn colours_beyond_their_bounds_are_refused() {
    let mut recipe = coloured(Colouring::Smooth, Palette::Gradient);
    let refused = |recipe: &Recipe| {
        let outcome = renderer(1).render(recipe, &Watch::new(), &mut std::io::sink());
        matches!(outcome, Err(RenderError::Field(_)))
    };
    assert!(refused(&recipe));
    recipe.colours.gradient = grey();
    assert!(!refused(&recipe));
    recipe.colours.supersampling = 9;
    assert!(refused(&recipe));
}

#[test]
fn every_colouring_stops_at_once() {
    for colouring in Colouring::ALL {
        let watch = Watch::new();
        let mut recipe = endless(1000, 1000);
        recipe.colours = coloured(colouring, Palette::Viridis).colours;
        recipe.palette = Palette::Viridis;
        std::thread::scope(|scope| {
            let render = scope.spawn(|| {
                let outcome = renderer(2).render(&recipe, &watch, &mut std::io::sink());
                (outcome, Instant::now())
            });
            std::thread::sleep(Duration::from_millis(30));
            let cancelled = Instant::now();
            watch.cancel();
            let (outcome, ended) = render.join().unwrap();
            assert!(matches!(outcome, Err(RenderError::Cancelled)));
            assert!(ended.saturating_duration_since(cancelled) < Duration::from_millis(500));
        });
    }
}
