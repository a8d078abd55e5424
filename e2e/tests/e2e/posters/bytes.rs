//! The picture is the same, however it was cut and whoever made it.

use super::{bands_reported, poster};
use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::{Home, Service, pictures, reader, recipe};
use serde_json::{Value, json};

/// A fractal's file and thumbnail, made by a service that renders so many pixels as one task, and the number of bands.
fn made(asked: &Value, band_area: &str) -> (Vec<u8>, Vec<u8>, u64) {
    let service = Service::start(&["--band-area", band_area]);
    let id = service.create_done(asked);
    let thumbnail = service.get(&format!("/fractal/{id}/thumbnail")).body;
    let bands = bands_reported(service.address());
    (service.picture(&id), thumbnail, bands)
}

/// The same, made as one.
pub(crate) fn made_as_one(asked: &Value) -> (Vec<u8>, Vec<u8>) {
    let (whole, thumbnail, bands) = made(asked, "100000000");
    assert_eq!(bands, 0);
    (whole, thumbnail)
}

/// Sees that the file and the thumbnail are the same in bands of so many pixels, so many bands of each. Returns the file.
pub(crate) fn is_the_same_in_bands(asked: &Value, cuts: &[(&str, u64)]) -> Vec<u8> {
    let (whole, thumbnail) = made_as_one(asked);
    for &(area, expected) in cuts {
        let (file, small, bands) = made(asked, area);
        assert_eq!(bands, expected);
        assert!(file == whole, "{bands} bands");
        assert!(small == thumbnail, "{bands} bands");
    }
    whole
}

/// Sees that three workers on RabbitMQ make the same as one process, in bands of so many pixels.
pub(crate) fn is_the_same_of_three_workers(asked: &Value, band_area: &str) {
    let (whole, thumbnail) = made_as_one(asked);
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let cluster = Cluster::new(engine);
        let api = cluster.api(&["--band-area", band_area]);
        let one = ["--slots", "1", "--threads", "1"];
        let _workers = [(); 3].map(|()| cluster.worker(&[&api], &one));
        let id = api.create_done(asked);
        assert!(api.picture(&id) == whole, "{engine:?}");
        let small = api.get(&format!("/fractal/{id}/thumbnail")).body;
        assert!(small == thumbnail, "{engine:?}");
        let row = api.row(&id);
        assert!(
            row.get("bands").is_none() && row.get("eta").is_none(),
            "{row}"
        );
    }
}

#[test]
fn a_poster_has_the_bytes_of_the_picture_made_as_one_however_it_is_cut() {
    let cuts = [("1500000", 2), ("800000", 3), ("42000", 53)];
    is_the_same_in_bands(&poster(), &cuts);
}

#[test]
fn three_workers_on_rabbitmq_make_the_bytes_that_one_process_makes() {
    is_the_same_of_three_workers(&poster(), "42000");
}

#[test]
fn a_poster_is_a_png_whose_every_pixel_is_the_formula_s() {
    let service = Service::start(&["--band-area", "500000"]);
    let asked = recipe::with(
        poster(),
        json!({"palette": "classic", "iterations": 60, "width": 3001, "height": 801}),
    );
    let id = service.create_done(&asked);
    let (head, mut body) = service
        .connect()
        .begin(&faafo_e2e::http::Request::get(&format!("/fractal/{id}")));
    assert_eq!(head.status, 200);
    let mut compared = 0;
    let seen = reader::read(&mut body, |y, pixel| {
        for x in (0..3001).filter(|x| (x + y) % 7 == 0) {
            assert_eq!(pixel(x as usize), colour(&asked, x, y), "{x}, {y}");
            compared += 1;
        }
    });
    assert!(compared > 300_000);
    assert_eq!((seen.width, seen.height), (3001, 801));
    assert_eq!(service.row(&id)["checksum"], *seen.sha256);
    assert_eq!(service.row(&id)["size"], seen.size);
}

/// A pixel of the Mandelbrot set in the classic colours, calculated as the original did.
pub(super) fn colour(recipe: &Value, x: u32, y: u32) -> [u8; 3] {
    let number = |name: &str| recipe[name].as_f64().unwrap();
    let along = |pixel: u32, pixels: &str, from: f64, to: f64| {
        f64::from(pixel) * (to - from) / (number(pixels) - 1.0) + from
    };
    let c = (
        along(x, "width", number("xa"), number("xb")),
        along(y, "height", number("ya"), number("yb")),
    );
    let mut z = (0.0, 0.0);
    let mut last = 0;
    for i in 0..recipe["iterations"].as_u64().unwrap() {
        last = i;
        let (re, im) = (z.0 * z.0, z.1 * z.1);
        if re + im > 4.0 {
            break;
        }
        let cross = z.0 * z.1;
        z = (re - im + c.0, cross + cross + c.1);
    }
    [last % 8 * 32, last % 16 * 16, last % 32 * 8].map(|byte| byte as u8)
}

#[test]
fn the_reader_overlooks_no_flipped_bit() {
    let home = Home::new();
    let service = home.start(&[]);
    let id = service.create_done(&recipe::small());
    let picture = service.picture(&id);
    assert_eq!(
        reader::read(&mut &picture[..], |_, _| {}).sha256,
        pictures::sha256(&picture)
    );
    for place in (8..picture.len()).step_by(picture.len() / 40) {
        let mut bad = picture.clone();
        bad[place] ^= 1;
        let read = || reader::read(&mut &bad[..], |_, _| {});
        assert!(std::panic::catch_unwind(read).is_err(), "byte {place}");
    }
}
