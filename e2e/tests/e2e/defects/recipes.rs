//! Recipes that broke the original's workers, and pictures that could not be made again.

use faafo_e2e::{Service, pictures, recipe};
use serde_json::{Value, json};

/// Defect 8: with 11 iterations or fewer the worker searched a constant for ever.
#[test]
fn any_number_of_iterations_from_1_finishes() {
    let service = Service::start(&[]);
    for iterations in 1..=12 {
        service.create(&recipe::with(
            recipe::small(),
            json!({"iterations": iterations}),
        ));
    }
    service.wait_until_all_done(12);
    let arguments = [
        "create",
        "--iterations",
        "1",
        "--tasks",
        "1",
        "--max-width",
        "300",
        "--max-height",
        "300",
        "--wait",
    ];
    faafo_e2e::printed(&service.cli(&arguments));
}

/// Defect 9: a side of one pixel divided by zero and poisoned the queue.
#[test]
fn sides_of_one_pixel_work() {
    let service = Service::start(&[]);
    for (width, height) in [(1, 1), (1, 30), (41, 1)] {
        let id = service.create_done(&recipe::with(
            recipe::small(),
            json!({"width": width, "height": height}),
        ));
        assert_eq!(
            pictures::decoded_size(&service.picture(&id)),
            (width, height)
        );
    }
}

/// Defect 10: the Julia constant was drawn in the worker and recorded nowhere.
#[test]
fn a_row_holds_all_it_takes_to_make_its_picture_again() {
    let service = Service::start(&[]);
    let first = service.row(&service.create_done(&recipe::small()));
    let mut again = serde_json::Map::new();
    for field in [
        "kind",
        "palette",
        "width",
        "height",
        "iterations",
        "xa",
        "xb",
        "ya",
        "yb",
        "cx",
        "cy",
    ] {
        assert!(!first[field].is_null(), "{field}");
        again.insert(field.to_owned(), first[field].clone());
    }
    let again = service.row(&service.create_done(&Value::Object(again)));
    assert_eq!(again["checksum"], first["checksum"]);
    assert_ne!(again["uuid"], first["uuid"]);
}

/// Defect 11: the checksum was UNIQUE, so a picture that looked like another one could never be stored.
#[test]
fn the_same_recipe_twice_is_two_pictures() {
    let service = Service::start(&[]);
    let same = recipe::with(recipe::small(), json!({"cx": -0.8, "cy": 0.156}));
    let ids = [service.create(&same), service.create(&same)];
    service.wait_until_all_done(2);
    let [first, second] = ids.map(|id| service.picture(&id));
    assert!(first == second);
}

/// Defect 35: far-off views and empty ones made workers spin while they held their tasks.
#[test]
fn no_recipe_that_is_accepted_holds_up_the_others() {
    let service = Service::start(&["--slots", "1", "--threads", "1"]);
    for view in [
        json!({"xa": 1e6, "xb": 2e6, "ya": 1e6, "yb": 2e6, "iterations": 10_000_000}),
        json!({"xa": -1e100, "xb": 1e100, "ya": -1e100, "yb": 1e100, "iterations": 10_000_000}),
        json!({"xa": 1.0, "xb": -1.0, "ya": 1.0, "yb": -1.0}),
        json!({"xa": 0.1, "xb": 0.100_000_000_000_000_02, "ya": 0.1, "yb": 0.2}),
        json!({"kind": "mandelbrot", "xa": 0.25, "xb": 0.250_000_1, "ya": 0.0, "yb": 1e-9, "width": 3, "height": 3}),
    ] {
        service.create(&recipe::with(recipe::small(), view));
    }
    service.create(&recipe::small());
    service.wait_until_all_done(6);
}
