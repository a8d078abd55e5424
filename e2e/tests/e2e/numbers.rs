//! Fractals of the format npy: numbers instead of pictures, asked for, stored and sent like them.

use crate::posters::bytes::{is_the_same_in_bands, is_the_same_of_three_workers};
use crate::posters::poster;
use faafo_e2e::http::Request;
use faafo_e2e::{Service, pictures, printed, recipe};
use serde_json::{Value, json};

/// A recipe's numbers instead of its picture.
fn numbers_of(picture: Value) -> Value {
    recipe::with(picture, json!({"format": "npy"}))
}

/// The Mandelbrot set in few pixels.
fn small() -> Value {
    json!({"kind": "mandelbrot", "width": 173, "height": 129, "iterations": 200, "palette": "magma",
        "xa": -2.5, "xb": 1.1, "ya": -1.35, "yb": 1.35})
}

/// Iterations and time of each pixel, row by row, of a file of so many columns and rows.
fn read(file: &[u8], (columns, rows): (u32, u32)) -> Vec<(u32, f32)> {
    assert_eq!(file[..8], *b"\x93NUMPY\x01\x00");
    let header = 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
    let expected = format!(
        "{{'descr': [('iterations', '<u4'), ('time', '<f4')], 'fortran_order': False, 'shape': ({rows}, {columns})}}"
    );
    let text = std::str::from_utf8(&file[10..header]).unwrap();
    assert_eq!(text.trim_end(), expected);
    let numbers = &file[header..];
    assert_eq!(numbers.len(), columns as usize * rows as usize * 8);
    let (words, _) = numbers.as_chunks::<4>();
    let (pixels, _) = words.as_chunks::<2>();
    let pixel =
        |[count, time]: &[[u8; 4]; 2]| (u32::from_le_bytes(*count), f32::from_le_bytes(*time));
    pixels.iter().map(pixel).collect()
}

/// The iterations of a pixel of a Mandelbrot set, one step after the other.
fn count(recipe: &Value, x: u32, y: u32) -> u32 {
    let number = |name: &str| recipe[name].as_f64().unwrap();
    let along = |pixel: u32, pixels: &str, from: f64, to: f64| {
        f64::from(pixel) * (to - from) / (number(pixels) - 1.0) + from
    };
    let c = (
        along(x, "width", number("xa"), number("xb")),
        along(y, "height", number("ya"), number("yb")),
    );
    let limit = number("iterations") as u32;
    let (mut z, mut count) = ((0.0, 0.0), 0);
    while count < limit && z.0 * z.0 + z.1 * z.1 <= 4.0 {
        let cross = z.0 * z.1;
        z = (z.0 * z.0 - z.1 * z.1 + c.0, cross + cross + c.1);
        count += 1;
    }
    count
}

#[test]
fn numbers_on_the_command_line_are_those_of_the_formula() {
    let service = Service::start(&[]);
    let recipe = small();
    let flags = recipe.as_object().unwrap().iter();
    let flags = flags.map(|(name, value)| match value {
        Value::String(text) => format!("--{name}={text}"),
        number => format!("--{name}={number}"),
    });
    let fixed = ["create", "--tasks=1", "--format=npy", "--wait"].map(str::to_owned);
    let flags: Vec<String> = fixed.into_iter().chain(flags).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let id = printed(&service.cli(&flags)).trim_end().to_owned();
    let shown = printed(&service.cli(&["show", &id]));
    let format = shown.lines().find(|line| line.starts_with("| format "));
    assert!(format.unwrap().contains("| npy "), "{shown}");

    let path = service.home().path().join("x.npy");
    printed(&service.cli(&["get", &id, "-o", path.to_str().unwrap()]));
    let file = std::fs::read(path).unwrap();
    let row = service.row(&id);
    assert_eq!(row["checksum"], pictures::sha256(&file));
    assert_eq!(row["size"], file.len());
    for (index, (found, time)) in (0..).zip(read(&file, (173, 129))) {
        let (x, y) = (index % 173, index / 173);
        assert_eq!(found, count(&recipe, x, y), "{x}, {y}");
        match found {
            200 => assert!(time.is_nan(), "{x}, {y}: {time}"),
            _ => assert!((time - found as f32).abs() < 3.0, "{x}, {y}: {time}"),
        }
    }
}

#[test]
fn numbers_are_sent_as_what_they_are_and_in_parts() {
    let service = Service::start(&[]);
    let wide = recipe::with(small(), json!({"width": 900, "height": 400}));
    let id = service.create_done(&numbers_of(wide));
    assert_eq!(service.row(&id)["format"], "npy");
    let whole = service.picture(&id);
    read(&whole, (900, 400));

    let path = format!("/fractal/{id}");
    let head = service.send(&Request::new("HEAD", &path));
    let octets = Some("application/octet-stream");
    assert_eq!((head.status, head.header("content-type")), (200, octets));
    let part = service.send(&Request::get(&path).header("Range", "bytes=100-999"));
    assert_eq!((part.status, part.header("content-type")), (206, octets));
    assert!(part.body == whole[100..1000]);
    let saved = service.get(&format!("{path}?download"));
    let named = format!("attachment; filename=\"{id}.npy\"");
    assert_eq!(saved.header("content-disposition"), Some(named.as_str()));
    assert!(saved.body == whole);

    let thumbnail = service.get(&format!("{path}/thumbnail"));
    assert_eq!(thumbnail.header("content-type"), Some("image/png"));
    assert_eq!(pictures::decoded_size(&thumbnail.body), (300, 133));
}

#[test]
fn a_row_says_what_is_stored_where_that_is_no_picture() {
    let service = Service::start(&[]);
    let wrong = service.post(&recipe::with(small(), json!({"format": "gif"})));
    assert_eq!(
        (wrong.status, &wrong.json()["field"]),
        (400, &json!("format"))
    );
    let picture = service.create_done(&small());
    assert_eq!(service.row(&picture).get("format"), None);
    let numbers = service.create_done(&numbers_of(small()));
    let query = json!({"filters": [{"name": "format", "op": "eq", "val": "npy"}]}).to_string();
    let found = service.json(&format!("/v1/fractal?q={}", query.replace('"', "%22")));
    assert_eq!(found["num_results"], 1);
    assert_eq!(found["objects"][0]["uuid"], numbers);
    assert_eq!(found["objects"][0]["format"], "npy");
}

#[test]
fn a_picture_is_no_result_where_numbers_were_asked_for() {
    let service = Service::start(&["--slots", "0"]);
    let id = service.create(&numbers_of(small()));
    let result = json!({"image": "iVBORw0KGgo="});
    let answer = service.send(&Request::new("PUT", &format!("/v1/fractal/{id}")).json(&result));
    assert_eq!(
        (answer.status, &answer.json()["field"]),
        (400, &json!("image"))
    );
    assert_eq!(service.row(&id)["state"], "queued");
}

#[test]
fn a_dry_run_knows_the_bytes_of_numbers() {
    let service = Service::start(&[]);
    let flags = ["create", "--dry-run", "--json", "--tasks=1", "--format=npy"];
    let sides = ["--width=3000", "--height=2000"];
    let estimate = printed(&service.cli(&[flags.as_slice(), &sides].concat()));
    let estimate: Value = serde_json::from_str(&estimate).unwrap();
    assert_eq!(estimate["bytes"].as_u64(), Some(3000 * 2000 * 8 + 128));
}

#[test]
fn a_poster_of_numbers_has_the_bytes_of_the_whole_however_it_is_cut() {
    let cuts = [("800000", 3), ("42000", 53)];
    let whole = is_the_same_in_bands(&numbers_of(poster()), &cuts);
    for (index, (found, _)) in (0..).zip(read(&whole, (2000, 1100))).step_by(997) {
        let (x, y) = (index % 2000, index / 2000);
        assert_eq!(found, count(&poster(), x, y), "{x}, {y}");
    }
}

#[test]
fn workers_on_rabbitmq_make_the_numbers_that_one_process_makes() {
    is_the_same_of_three_workers(&numbers_of(poster()), "400000");
}
