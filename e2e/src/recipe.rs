//! Requests for fractals that take as long as a test needs.

use serde_json::{Value, json};

/// A request of the original's kind: done at once, its Julia constant left to the service.
pub fn small() -> Value {
    json!({"width": 41, "height": 30, "iterations": 20, "xa": -1.5, "xb": 1.5, "ya": -1.0, "yb": 1.0})
}

/// Some tenths of a second for one core: a view that lies inside the set, where every pixel takes all iterations, because
/// its orbit creeps towards 0.5 and never repeats.
/// Different numbers make different pictures.
pub fn medium(number: u32) -> Value {
    let mut recipe = inside(300 + number, 200);
    recipe["palette"] = json!("classic");
    recipe
}

/// Done at once, and a file of some hundred kilobytes. Different numbers make different pictures.
pub fn colourful(number: u32) -> Value {
    json!({"kind": "mandelbrot", "width": 500 + number, "height": 300, "iterations": 500,
        "xa": -0.76, "xb": -0.74, "ya": 0.09, "yb": 0.105})
}

/// Minutes for one core.
pub fn long() -> Value {
    inside(10_000, 10_000)
}

/// The same recipe with other values in some fields.
pub fn with(mut recipe: Value, changes: Value) -> Value {
    for (field, value) in changes.as_object().expect("an object of changes") {
        recipe[field] = value.clone();
    }
    recipe
}

fn inside(width: u32, height: u32) -> Value {
    json!({"kind": "julia", "cx": 0.25, "cy": 0.0, "width": width, "height": height, "iterations": 20_000,
        "xa": -0.2, "xb": 0.1, "ya": -0.1, "yb": 0.1})
}
