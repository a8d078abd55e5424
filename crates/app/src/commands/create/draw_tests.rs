use super::*;
use crate::args::{Cli, Command};
use clap::Parser;

fn args(flags: &str) -> CreateArgs {
    let line = format!("faafo create {flags}");
    match Cli::parse_from(line.split_whitespace()).command {
        Some(Command::Create(args)) => *args,
        other => panic!("{other:?}"),
    }
}

fn draw(flags: &str) -> Vec<Request> {
    Ranges::new(&args(flags)).unwrap().draw_all()
}

/// Requests without their names, which are never the same.
fn nameless(flags: &str) -> Vec<Request> {
    let nameless = |request| Request {
        uuid: Uuid::nil(),
        ..request
    };
    draw(flags).into_iter().map(nameless).collect()
}

#[test]
fn without_flags_everything_lies_in_the_original_s_ranges() {
    let mut counts = [false; 11];
    for seed in 0..300 {
        let requests = draw(&format!("--seed {seed}"));
        counts[requests.len()] = true;
        for request in requests {
            for (name, least, most) in [
                ("width", 256.0, 1024.0),
                ("height", 256.0, 1024.0),
                ("iterations", 128.0, 512.0),
                ("xa", -4.0, -1.0),
                ("xb", 1.0, 4.0),
                ("ya", -3.0, -0.5),
                ("yb", 0.5, 3.0),
            ] {
                let number = request.recipe[name].as_f64().unwrap();
                assert!((least..=most).contains(&number), "{name} = {number}");
            }
        }
    }
    assert!(!counts[0] && counts[1..].iter().all(|drawn| *drawn));
}

#[test]
fn both_ends_of_a_whole_range_are_drawn_in_either_order() {
    for flags in [
        "--min-width 7 --max-width 9 --tasks 200 --seed 1",
        "--min-width 9 --max-width 7 --tasks 200 --seed 1",
    ] {
        let drawn = draw(flags);
        let widths = drawn.iter().map(|request| request.recipe["width"].as_u64());
        let widths: std::collections::BTreeSet<u64> = widths.flatten().collect();
        assert_eq!(widths, [7, 8, 9].into());
    }
}

#[test]
fn what_is_given_is_taken_as_it_is() {
    let flags = "--tasks 2 --width 1 --height 2 --iterations 3 --xa -2.123456789012345 --xb 5e-324 \
                 --ya -0 --yb 1e100 --kind mandelbrot --palette classic";
    for request in draw(flags) {
        let given = serde_json::json!({"width": 1, "height": 2, "iterations": 3, "xa": -2.123456789012345,
            "xb": 5e-324, "ya": -0.0, "yb": 1e100, "kind": "mandelbrot", "palette": "classic"});
        assert_eq!(Value::Object(request.recipe), given);
    }
}

#[test]
fn the_same_seed_asks_for_the_same_pictures_under_new_names() {
    assert_eq!(nameless("--seed 7"), nameless("--seed 7"));
    assert_ne!(nameless("--seed 7"), nameless("--seed 8"));
    assert_ne!(draw("--seed 7")[0].uuid, draw("--seed 7")[0].uuid);
}

#[test]
fn a_seed_draws_the_julia_constant_too() {
    let requests = draw("--seed 3 --tasks 5");
    assert!(
        requests
            .iter()
            .all(|request| request.recipe["cx"].is_f64() && request.recipe["cy"].is_f64())
    );
    let cx = |request: &Request| request.recipe.get("cx").cloned();
    assert!(requests.windows(2).all(|pair| cx(&pair[0]) != cx(&pair[1])));
    assert_eq!(cx(&draw("--tasks 1")[0]), None);
}

#[test]
fn giving_one_value_does_not_change_what_the_seed_draws_for_the_others() {
    let free = nameless("--seed 7 --tasks 3");
    let given = nameless("--seed 7 --tasks 3 --height 5");
    for (mut free, given) in free.into_iter().zip(given) {
        free.recipe.insert("height".to_owned(), 5.into());
        assert_eq!(free, given);
    }
}

#[test]
fn a_bound_beyond_the_other_one_s_default_names_both_flags() {
    for (flags, min, max) in [
        ("--min-width 2000", "--min-width 2000", "--max-width"),
        (
            "--max-iterations 5",
            "--min-iterations",
            "--max-iterations 5",
        ),
        ("--min-tasks 11", "--min-tasks 11", "--max-tasks"),
    ] {
        let error = Ranges::new(&args(flags)).err().unwrap().to_string();
        assert!(error.contains(min) && error.contains(max), "{error}");
    }
    assert!(Ranges::new(&args("--min-width 2000 --width 5")).is_ok());
}
