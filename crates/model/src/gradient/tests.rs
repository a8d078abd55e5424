use super::*;
use crate::colours::MOST_STOPS;
use crate::{Colours, Palette, Rgb};
use proptest::prelude::*;

const UGR: &str = "; a remark
Sunset {
gradient:
  title=\"Sunset; or not\" smooth=no
  index=0 color=255
  index=200 color=65280 ; green
  index=-1
  color=16711680
opacity:
  smooth=no index=0 opacity=255
}
Another { gradient: index=0 color=1 index=9 color=2 }
";

fn assert_usable(stops: &[Stop]) {
    let colours = Colours {
        gradient: stops.to_vec(),
        ..Colours::default()
    };
    assert_eq!(colours.check(Palette::Gradient), Ok(()));
}

#[test]
fn a_fractint_map_is_read_with_its_remarks() {
    let stops = read(b"0 0 0   The background\n  255 128 7\r\n\n; none\n1 2 3\n8 8 8").unwrap();
    assert_usable(&stops);
    let positions: Vec<f64> = stops.iter().map(|stop| stop.position).collect();
    assert_eq!(positions, [0.0, 0.25, 0.5, 0.75]);
    assert_eq!(stops[1].colour, Rgb([255, 128, 7]));
}

#[test]
fn a_gimp_palette_is_read_with_names_in_any_encoding() {
    let file = b"GIMP Palette\nName: B\xe4ume\nColumns: 3\n#\n255 0 0\tRed\n  0 255  0 Gr\xfcn\n0 0 255\n1 1 1\n";
    let stops = read(file).unwrap();
    assert_usable(&stops);
    assert_eq!(stops.len(), 4);
    assert_eq!(stops[1].colour, Rgb([0, 255, 0]));
}

#[test]
fn the_first_gradient_of_an_ultra_fractal_file_is_read() {
    let stops = read(UGR.as_bytes()).unwrap();
    assert_usable(&stops);
    let expected = [
        (0.0, [255, 0, 0]),
        (0.5, [0, 255, 0]),
        (0.9975, [0, 0, 255]),
    ];
    let seen: Vec<_> = stops
        .iter()
        .map(|stop| (stop.position, stop.colour.0))
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_map_of_256_colours_is_approximated_closely() {
    // A curve with bends, as maps have.
    let colour = |i: i32| [i.min(255), (2 * (i - 128)).abs().min(255), 255 - i];
    let file: String = (0..256)
        .map(|i| colour(i).map(|channel| channel.to_string()).join(" ") + "\n")
        .collect();
    let stops = read(file.as_bytes()).unwrap();
    assert_usable(&stops);
    assert!(stops.len() <= MOST_STOPS);
    for i in 0..256 {
        let at = f64::from(i) / 256.0;
        let right = stops.partition_point(|stop| stop.position <= at);
        let (left, right) = (
            stops[right - 1],
            stops.get(right).unwrap_or(&stops[right - 1]),
        );
        let width = right.position - left.position;
        let part = if width > 0.0 {
            (at - left.position) / width
        } else {
            0.0
        };
        for (channel, exact) in colour(i).into_iter().enumerate() {
            let [a, b] = [left, *right].map(|stop| f64::from(stop.colour.0[channel]));
            assert!((a + (b - a) * part - f64::from(exact)).abs() < 2.0, "{i}");
        }
    }
}

#[test]
fn rubbish_names_its_line() {
    for (file, line) in [
        ("0 0 0\n1 2\n", 2),
        ("0 0 0\n1 2 256\n", 2),
        ("0 0 0\n\n1 2 -3\n", 3),
        ("GIMP Palette\nName: x\n1 2 3\nNothing\n", 4),
        (
            "x {\ngradient:\nindex=0 color=1\nindex=1 color=99999999999\n}",
            4,
        ),
        ("x {\ngradient:\ncolor=1\n}", 3),
        ("x {\ngradient:\nindex=one color=1\n}", 3),
    ] {
        match read(file.as_bytes()) {
            Err(NoGradient::Line { line: found, .. }) => assert_eq!(found, line, "{file}"),
            other => panic!("{file}: {other:?}"),
        }
    }
    for file in [
        "",
        "\n \n",
        "1 2 3",
        "GIMP Palette\n",
        "x { gradient: }",
        "{",
    ] {
        assert!(
            matches!(read(file.as_bytes()), Err(NoGradient::Whole(_))),
            "{file}"
        );
    }
    assert!(read(&vec![b' '; MOST_BYTES + 1]).is_err());
    assert!(read("0 0 0\n".repeat(257).as_bytes()).is_err());
}

#[test]
fn a_list_survives_being_written() {
    let stops = parse_list("0:#000000, 0.1 : #FFffFF,1:123456").unwrap();
    assert_usable(&stops);
    assert_eq!(to_list(&stops), "0:000000,0.1:ffffff,1:123456");
    assert_eq!(parse_list(&to_list(&stops)), Ok(stops));
    for text in ["", "0", "0:red", "nan:#000000", ",", "0:#000000,"] {
        assert!(parse_list(text).is_err(), "{text}");
    }
    assert!(parse_list(&vec!["0:#000000"; MOST_STOPS + 1].join(",")).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_is_read_is_a_gradient_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(stops) = read(&bytes) {
            assert_usable(&stops);
        }
    }

    #[test]
    fn words_of_gradients_in_any_order_do_no_harm(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "GIMP Palette", "\n", "\n", "Name:", "Columns:", "gradient:", "{", "}", "opacity:", "index=3", "index=-5",
                "index=399", "index=", "color=255", "color=-1", "color=9999999999999999999", ";", "#", "12", "300", "0 0 0\n",
                "1 2 3 x\n", "=", "\u{feff}",
            ]),
            0..60,
        )
    ) {
        if let Ok(stops) = read(words.join(" ").as_bytes()) {
            assert_usable(&stops);
        }
        let _ = parse_list(&words.join(","));
    }
}
