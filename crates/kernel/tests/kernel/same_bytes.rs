//! The same recipe, the same bytes.

use crate::{at_every_level, colours, dragon, png_of, renderer};
use faafo_model::{Formula, Palette, View, recipe::Recipe};
use sha2::{Digest, Sha256};

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    for palette in Palette::FIRST {
        let recipe = dragon(1500, 700, 200, palette);
        let one = png_of(&renderer(1), &recipe);
        for threads in [2, 7] {
            assert!(
                png_of(&renderer(threads), &recipe) == one,
                "{threads} threads"
            );
        }
    }
}

#[test]
fn two_renders_at_once_do_not_mix() {
    let renderer = renderer(3);
    let recipes = Palette::FIRST.map(|palette| dragon(900, 700, 100, palette));
    let alone = recipes.each_ref().map(|recipe| png_of(&renderer, recipe));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            for (recipe, alone) in recipes.iter().zip(&alone) {
                scope.spawn(|| assert!(png_of(&renderer, recipe) == *alone));
            }
        }
    });
}

#[test]
fn the_thumbnail_shows_the_picture() {
    let renderer = renderer(2);
    for palette in Palette::FIRST {
        // Small enough: the thumbnail is the picture.
        let (file, thumbnail) = png_of(&renderer, &dragon(300, 200, 100, palette));
        assert_eq!(colours(&thumbnail), colours(&file));
        let (_, thumbnail) = png_of(&renderer, &dragon(1000, 500, 100, palette));
        let (width, height, _) = colours(&thumbnail);
        assert_eq!((width, height), (300, 150));
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// These change only when the palette or the compressor is changed on purpose: all machines must agree on them.
#[test]
fn bytes_are_those_of_every_other_machine() {
    let mandelbrot = |xa, xb, ya, yb, iterations| Recipe {
        formula: Formula::Mandelbrot,
        view: View::rectangle(xa, xb, ya, yb),
        iterations,
        ..dragon(160, 120, 1, Palette::Aurora)
    };
    let recipes = [
        (
            dragon(160, 120, 512, Palette::Aurora),
            [
                "8bf10f807492dc4419c445429649dfd3170c0ca6d4aecb4808b19fb652bd1044",
                "731f9bc6ca60f8478aef7778f2689d1a0e857242f6b1760164b7c7e79c0010a1",
            ],
        ),
        (
            dragon(640, 480, 512, Palette::Aurora),
            [
                "0143de5af547cb9a713975c0b15d261fe1bd51af2edc7edda434e152b21f42e9",
                "19507a99c317c87fd699b7d2af269289eaeb44973d6de97103c35e5b55518353",
            ],
        ),
        (
            dragon(640, 480, 512, Palette::Classic),
            [
                "bf254533c2f129113bf4c04a4e926127b39ad32145fd893660e252ac62910011",
                "11c3773b4b4815eb4842cd88270b215a46c89b080c42bcb3ea6ed2fd907b73bf",
            ],
        ),
        (
            mandelbrot(-2.5, 1.1, -1.35, 1.35, 1000),
            [
                "c712f8907bb60d7751648878d13efbbcfc4d4423d3d8678dfb46d4fb9f3470b4",
                "99545ebaccee994aec1d90e432fcf15ddb1ae765ac08adec0ce3b18a6e1098da",
            ],
        ),
        (
            mandelbrot(-0.76, -0.74, 0.09, 0.105, 2000),
            [
                "7acecd1b0395085368ce03e42e352601e3ce2b956230346e7d31906f3d41bd40",
                "c3a889e842db48e034ca1025e837a92ed0e9c56b5ed7d1dad2f2d65c43a9eea7",
            ],
        ),
        (
            mandelbrot(-900.0, 900.0, -900.0, 900.0, 20),
            [
                "353fb2fff843318b4cf806a36b93d95cae40a3c5137940c7a9f6425caa1a7607",
                "18c22b445a0e037ab7762360c165930e9ca4ad892d6d00e87d347a9658591559",
            ],
        ),
    ];
    for threads in [1, 7] {
        for (level, renderer) in at_every_level(threads) {
            for (recipe, expected) in &recipes {
                let (file, thumbnail) = png_of(&renderer, recipe);
                let seen = [sha256(&file), sha256(&thumbnail)];
                assert_eq!(seen, *expected, "{level}, {threads} threads, {recipe:?}");
            }
        }
    }
}
