//! What befalls posters on their way.

use super::{
    HARD_BAND_AREA, HARD_BANDS, ask, bands_done, bands_reported, busy, growing, hard_poster, poster,
};
use crate::events::Events;
use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::{Home, Service, recipe, wait_until};
use serde_json::json;
use std::time::{Duration, Instant};

const SMALL_BANDS: &[&str] = &["--band-area", HARD_BAND_AREA];

#[test]
fn when_a_worker_is_killed_only_its_bands_are_rendered_again() {
    let cluster = Cluster::new(Engine::Postgres);
    let api = cluster.api(SMALL_BANDS);
    let one = ["--slots", "1", "--threads", "1"];
    let mut workers: Vec<_> = (0..3).map(|_| cluster.worker(&[&api], &one)).collect();
    let id = growing(&api);
    workers.remove(0).kill9();
    let before = bands_done(&api, &id);
    wait_until("some more bands are done", || {
        bands_done(&api, &id) >= before + 3
    });
    workers.remove(0).kill9();
    api.wait_until_state(&id, "done");
    // One more if it was killed between saying that a band is done and acknowledging its task.
    let reported = bands_reported(api.address());
    assert!(
        (HARD_BANDS..=HARD_BANDS + 2).contains(&reported),
        "{reported}"
    );
    assert_eq!(api.row(&id)["bands"], json!(null));
}

#[test]
fn a_poster_shows_how_far_it_is_and_what_it_will_be() {
    let service = Service::start(SMALL_BANDS);
    let events = Events::subscribe(&service);
    // Long enough for a fast executable, too.
    let long = recipe::with(hard_poster(), json!({"iterations": 100_000}));
    let id = service.create(&long);
    wait_until("the time left is known", || {
        service.row(&id)["eta"].as_f64().is_some()
    });
    let row = service.row(&id);
    assert_eq!(row["state"], "rendering");
    assert_eq!(row["bands"]["total"], HARD_BANDS);
    assert!(row["progress"].as_f64().unwrap() > 0.0);
    let preview = service.get(&format!("/fractal/{id}/thumbnail"));
    assert_eq!(
        (preview.status, preview.header("content-type")),
        (200, Some("image/png"))
    );
    assert_eq!(preview.header("cache-control"), Some("no-store"));
    assert_eq!(service.get(&format!("/fractal/{id}")).status, 202);
    let page = service.get(&format!("/picture/{id}")).text();
    assert!(page.contains(&format!("/fractal/{id}/thumbnail")), "{page}");
    assert!(page.contains("left"), "{page}");
    let shown = faafo_e2e::printed(&service.cli(&["show", &id]));
    assert!(shown.contains("of 29 done"), "{shown}");
    assert!(shown.contains("time left"), "{shown}");
    // Bands are nobody's business.
    assert_eq!(service.count("accepted"), 1);
    assert_eq!(service.json("/v1/fractal")["num_results"], 1);
    let current = &service.json("/v1/workers")["workers"][0]["current"];
    assert!(
        *current == json!([id]) || *current == json!([]),
        "{current}"
    );
    service.delete(&id);
    while let Some((name, event)) = events.next() {
        if name != "fractal" {
            continue;
        }
        assert_eq!(event["uuid"], *id, "{event}");
        if event["change"] == "deleted" {
            break;
        }
    }
}

#[test]
fn a_poster_that_is_cancelled_stops_at_once_and_keeps_its_finished_bands() {
    let service = Service::start(SMALL_BANDS);
    let id = growing(&service);
    ask(&service, "cancel", &id);
    let begun = Instant::now();
    wait_until("nobody works on it", || busy(service.address()) == 0);
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    let (done, reported) = (bands_done(&service, &id), bands_reported(service.address()));
    assert_eq!(service.row(&id)["state"], "cancelled");
    ask(&service, "retry", &id);
    service.wait_until_state(&id, "done");
    assert!(done >= 3);
    assert_eq!(
        bands_reported(service.address()) - reported,
        HARD_BANDS - done
    );
    let whole = Service::start(&[]);
    let same = whole.create_done(&hard_poster());
    assert_eq!(whole.row(&same)["checksum"], service.row(&id)["checksum"]);
}

#[test]
fn a_poster_that_is_deleted_leaves_nothing_behind() {
    let home = Home::new();
    let service = home.start(SMALL_BANDS);
    let id = growing(&service);
    service.delete(&id);
    let begun = Instant::now();
    wait_until("nobody works on it", || busy(service.address()) == 0);
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    wait_until("nothing is stored", || home.blobs().is_empty());
    assert!(home.unfinished_files().is_empty());
}

#[test]
fn bands_go_when_they_are_joined() {
    let home = Home::new();
    let service = home.start(SMALL_BANDS);
    service.create_done(&poster());
    wait_until("picture and thumbnail are left", || home.blobs().len() == 2);
}

#[test]
fn a_band_that_fails_fails_its_poster_with_the_reason() {
    let cluster = Cluster::new(Engine::MariaDb).with_failpoint("panic@321");
    let api = cluster.api(SMALL_BANDS);
    let _workers = [(); 2].map(|()| cluster.worker(&[&api], &["--threads", "1"]));
    let id = api.create(&recipe::with(poster(), json!({"iterations": 321})));
    api.wait_until_state(&id, "failed");
    let error = api.row(&id)["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("rows "), "{error}");
    assert!(error.contains("a poisonous recipe"), "{error}");
    assert_eq!(api.count("accepted"), 1);
    // Workers are as good as before.
    api.create_done(&poster());
}

#[test]
fn a_poster_goes_on_where_it_was_when_everything_is_killed() {
    let home = Home::new();
    let mut service = home.start(SMALL_BANDS);
    let id = growing(&service);
    let mut before = bands_done(&service, &id);
    for _ in 0..3 {
        service.kill9();
        service = home.start(SMALL_BANDS);
        let after = bands_done(&service, &id);
        assert!(after >= before, "{after} of {before}");
        wait_until("one more is done", || {
            service.row(&id)["state"] == "done" || bands_done(&service, &id) > after
        });
        before = after;
    }
    service.wait_until_state(&id, "done");
    assert!(bands_reported(service.address()) <= HARD_BANDS - before);
    service.picture(&id);
}
