//! What else is to be done while a poster grows does not wait until its bands are done.

use super::{HARD_BAND_AREA, HARD_BANDS, bands_done, growing, hard_poster, poster};
use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::{Service, recipe, wait_until};
use serde_json::json;

/// One core, which does one thing after the other in each lane.
const ONE: [&str; 4] = ["--slots", "1", "--threads", "1"];

/// Fractals that are accepted after all bands are in the queue end long before the last of these does.
fn nobody_waits_for_the_bands(service: &Service) {
    let growing = growing(service);
    for number in 0..3 {
        // Small enough not to be a poster itself.
        let ordinary = recipe::with(recipe::medium(number), json!({"height": 100}));
        service.create_done(&ordinary);
    }
    let done = bands_done(service, &growing);
    assert!(2 * done < HARD_BANDS, "{done} bands ended first");
    let another = service.create(&poster());
    wait_until("another poster is planned", || {
        service.row(&another)["bands"]["total"].is_number()
    });
    let done = bands_done(service, &growing);
    assert!(done < HARD_BANDS, "all bands ended first");
    assert_eq!(service.row(&growing)["state"], "rendering");
}

#[test]
fn an_ordinary_fractal_does_not_wait_for_a_poster() {
    let flags = [&ONE[..], &["--band-area", HARD_BAND_AREA]].concat();
    nobody_waits_for_the_bands(&Service::start(&flags));
}

#[test]
fn an_ordinary_fractal_does_not_wait_for_a_poster_of_a_cluster() {
    let cluster = Cluster::new(Engine::Postgres);
    let api = cluster.api(&["--band-area", HARD_BAND_AREA]);
    let _worker = cluster.worker(&[&api], &ONE);
    nobody_waits_for_the_bands(&api);
}

/// So many bands that they have no room in the queue of one process.
#[test]
fn an_ordinary_fractal_does_not_wait_for_posters_that_fill_the_queue() {
    let flags = [&ONE[..], &["--band-area", HARD_BAND_AREA]].concat();
    let service = Service::start(&flags);
    let tall = recipe::with(hard_poster(), json!({"height": 5600}));
    let posters = [(); 4].map(|()| service.create(&tall));
    wait_until("all are planned", || {
        let is_planned = |id: &String| service.row(id)["bands"]["total"] == 400;
        posters.iter().all(is_planned)
    });
    let done = || -> u64 { posters.iter().map(|id| bands_done(&service, id)).sum() };
    let before = done();
    service.create_done(&recipe::small());
    let ended = done() - before;
    assert!(ended < 50, "{ended} bands ended first");
}
