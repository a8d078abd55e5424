//! Posters that an S3 server puts together from their bands.

use super::{bands_reported, poster};
use faafo_e2e::metrics::Metrics;
use faafo_e2e::servers::Objects;
use faafo_e2e::{Home, Service, wait_until};
use serde_json::{Value, json};

/// A picture that hardly compresses: 6 bytes a pixel, 40 MB.
fn noise() -> Value {
    json!({"kind": "julia", "cx": -0.8, "cy": 0.156, "width": 3000, "height": 3000, "iterations": 100,
        "xa": -1.5, "xb": 1.5, "ya": -1.5, "yb": 1.5, "palette": "magma", "colouring": "smooth", "depth": 16})
}

fn on_s3(home: &Home, objects: &Objects, flags: &[&str]) -> Service {
    let mut command = home.command(&home.up(flags));
    command.env("FAAFO_STORAGE_URL", objects.url(objects.address()));
    Service::launch(home, command)
}

/// The picture as files keep it, made as one.
fn whole(recipe: &Value) -> Vec<u8> {
    let service = Service::start(&["--band-area", "100000000"]);
    let id = service.create_done(recipe);
    assert_eq!(bands_reported(service.address()), 0);
    service.picture(&id)
}

#[test]
fn a_poster_on_s3_is_copied_from_its_bands_and_has_the_bytes_that_files_have() {
    let (home, objects) = (Home::new(), Objects::start());
    let service = on_s3(&home, &objects, &["--band-area", "3000000"]);
    let id = service.create_done(&noise());
    let bands = bands_reported(service.address());
    assert!(bands >= 3, "{bands}");
    let picture = service.picture(&id);
    let metrics = Metrics::read(service.address());
    let copied = metrics.get("faafo_blob_copied_bytes_total");
    let written = metrics.get("faafo_blob_written_bytes_total");
    let size = picture.len() as f64;
    eprintln!(
        "{bands} bands, {size} bytes, {copied} of them copied, {written} sent with all bands"
    );
    assert!(copied > size / 2.0 && copied < size, "{copied} of {size}");
    // Once as bands with their shares of the thumbnail, and what was not copied.
    assert!(written < size + (size - copied) + 3e6, "{written}");
    let composed = "faafo_blob_operations_total{operation=\"compose\",result=\"ok\"}";
    assert_eq!(metrics.get(composed), 1.0);
    assert!(picture == whole(&noise()));
    wait_until("picture and thumbnail are left", || {
        objects.names().len() == 2
    });
}

#[test]
fn a_poster_of_small_bands_on_s3_is_sent_while_it_is_joined() {
    let (home, objects) = (Home::new(), Objects::start());
    let service = on_s3(&home, &objects, &["--band-area", "800000"]);
    let id = service.create_done(&poster());
    assert_eq!(bands_reported(service.address()), 3);
    let copied = Metrics::read(service.address()).get("faafo_blob_copied_bytes_total");
    assert_eq!(copied, 0.0);
    assert!(service.picture(&id) == whole(&poster()));
}
