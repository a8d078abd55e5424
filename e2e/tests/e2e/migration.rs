//! Databases that an executable of commit 5317508 has left behind, opened by this one. e2e/fixtures/make.py has made
//! them: 10,000 fractals in all states, and posters in every stage.

mod fixture;
mod interrupted;

use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::http::Request;
use faafo_e2e::{Home, Service, pictures, wait_until};
use fixture::{Fixture, is_final, recipe_of, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;

/// As it was when the fixtures were made.
const BAND_AREA: &[&str] = &["--band-area", "42000"];
/// Posters of which a band had failed, which nobody had noticed.
const DOOMED: usize = 3;

/// All fractals, by their ids.
type Rows = BTreeMap<String, Value>;

fn list(service: &Service) -> Rows {
    let all = service.json("/v1/fractal?results_per_page=-1");
    let rows = all["objects"].as_array().unwrap();
    assert_eq!(all["num_results"], rows.len());
    let ids = rows.iter().map(|row| text(row, "uuid"));
    assert!(ids.is_sorted(), "in the order of their ids");
    rows.iter()
        .map(|row| (text(row, "uuid"), row.clone()))
        .collect()
}

/// Every field that the old executable showed, with the value that it showed.
#[track_caller]
fn assert_same(before: &Value, after: &Value, may_differ: &[&str]) {
    for (field, value) in before.as_object().unwrap() {
        if !may_differ.contains(&field.as_str()) {
            assert_eq!(after[field], *value, "{field}\n{before}\n{after}");
        }
    }
}

/// What changes while a fractal is worked on.
const CHANGING: &[&str] = &[
    "state",
    "progress",
    "attempt",
    "error",
    "finished_at",
    "eta",
    "checksum",
    "size",
    "duration",
    "generated_by",
];

/// The same fractals, what was final unchanged, and as many in each state as the service says.
#[track_caller]
fn assert_nothing_was_lost(fixture: &Fixture, service: &Service) {
    let rows = list(service);
    assert_eq!(rows.len(), fixture.rows.len());
    for (before, after) in fixture.rows.iter().zip(rows.values()) {
        let may_differ = if is_final(before) { &[] } else { CHANGING };
        assert_same(before, after, may_differ);
    }
    assert_eq!(service.count("accepted"), rows.len() as u64);
}

/// What was unfinished is done, and looks as its recipe says.
#[track_caller]
fn assert_all_finish(fixture: &Fixture, service: &Service) {
    // Minutes for a machine with other work: as long as it goes on.
    let mut left = u64::MAX;
    while left > 0 {
        let before = left;
        wait_until("one more is finished", || {
            left = service.count("queued") + service.count("rendering");
            left < before
        });
    }
    let rows = list(service);
    let mut doomed = Vec::new();
    for before in fixture.rows.iter().filter(|row| !is_final(row)) {
        let after = &rows[&text(before, "uuid")];
        if after["state"] == "failed" {
            doomed.push(text(after, "error"));
            continue;
        }
        assert_eq!(after["state"], "done", "{before}\n{after}");
        assert_eq!(after["progress"], 1.0);
        assert_eq!(after["error"], Value::Null);
        let checksum = &fixture.checksums[&recipe_of(before)];
        assert_eq!(after["checksum"], *checksum.as_str(), "{before}\n{after}");
    }
    assert_eq!(doomed.len(), DOOMED, "{doomed:?}");
    assert!(doomed.iter().all(|error| error.starts_with("rows ")));
    for state in ["done", "failed", "cancelled"] {
        let number = rows.values().filter(|row| row["state"] == state).count();
        assert_eq!(service.count(state), number as u64, "{state}");
    }
    // Bands go when their posters are done.
    wait_until("posters are nothing but done", || {
        fixture
            .posters()
            .all(|id| service.row(id)["state"] != "done" || service.row(id)["bands"].is_null())
    });
}

/// Each picture and thumbnail that there is, byte for byte, and some more fractals that share them. Returns their names.
#[track_caller]
fn assert_pictures_are_there(service: &Service) -> BTreeSet<String> {
    let mut connection = service.connect();
    let (mut seen, mut blobs) = (BTreeSet::new(), BTreeSet::new());
    let mut random = fastrand::Rng::with_seed(5_317_508);
    for (id, row) in list(service) {
        if row["state"] != "done" {
            continue;
        }
        if !seen.insert(text(&row, "checksum")) && random.u32(0..100) > 0 {
            continue;
        }
        let picture = connection.send(&Request::get(&format!("/fractal/{id}")));
        assert_eq!(picture.status, 200, "{row}");
        assert_eq!(row["checksum"], pictures::sha256(&picture.body));
        assert_eq!(row["size"], picture.body.len());
        let thumbnail = connection.send(&Request::get(&format!("/fractal/{id}/thumbnail")));
        assert_eq!(thumbnail.status, 200, "{row}");
        pictures::decoded_size(&thumbnail.body);
        blobs.insert(pictures::sha256(&thumbnail.body));
    }
    assert!(seen.len() > 30, "{}", seen.len());
    blobs.extend(seen);
    blobs
}

/// Posters that ended with some bands done go on with these.
#[track_caller]
fn assert_retried_posters_finish(fixture: &Fixture, service: &Service) {
    let ended: Vec<&str> = fixture
        .posters()
        .filter(|id| ["failed", "cancelled"].contains(&&*text(&service.row(id), "state")))
        .collect();
    let kept = ended
        .iter()
        .filter(|id| service.row(id)["bands"]["done"].as_u64() > Some(0));
    assert!(kept.count() >= 5, "{ended:?}");
    for id in &ended {
        let answer = service.send(&Request::new("POST", &format!("/v1/fractal/{id}/retry")));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for id in ended {
        service.wait_until_state(id, "done");
        let row = service.row(id);
        assert_eq!(
            row["checksum"],
            *fixture.checksums[&recipe_of(&row)].as_str()
        );
    }
}

/// Tokens and sessions allow what they did; nobody makes a first token once more.
#[track_caller]
fn assert_tokens_work(fixture: &Fixture, guarded: &Service) {
    let token = |name: &str| text(&fixture.tokens, name);
    let send = |request: Request, name: &str| {
        let bearer = format!("Bearer {}", token(name));
        guarded.send(&request.header("Authorization", &bearer))
    };
    let known = send(Request::get("/v1/tokens"), "admin");
    assert_eq!(known.json()["objects"], fixture.tokens["listing"]);
    // What is refused is refused before anybody looks for it.
    let nothing = || Request::new("DELETE", "/v1/fractal/00000000-0000-4000-8000-0000000000aa");
    for (name, status) in [
        ("admin", 404),
        ("write", 404),
        ("read", 403),
        ("worker", 403),
        ("revoked", 401),
    ] {
        assert_eq!(send(nothing(), name).status, status, "{name}");
    }
    for (name, status) in [("session of write", 404), ("session of revoked", 401)] {
        let signed = nothing().header("Cookie", &token(name));
        assert_eq!(guarded.send(&signed).status, status, "{name}");
    }
}

/// Nothing is stored but these blobs, and they are whole: bands went with their posters, and what nobody needs is gone.
#[track_caller]
fn assert_nothing_else_is_stored(home: &Home, place: &[&str], blobs: &BTreeSet<String>) {
    let check = ["storage", "check", "--older-than", "0s", "--checksums"];
    let expected = format!(" {} blobs: 0 missing, 0 damaged, 0 orphans", blobs.len());
    wait_until("nothing else is stored", || {
        let output = home.run(&[&check, place].concat());
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        // Seen when the test fails.
        eprintln!("{report}");
        output.status.success() && report.contains(&expected)
    });
}

#[test]
fn an_installation_in_one_process_goes_on_where_it_was() {
    let (home, fixture) = (Home::new(), Fixture::read("sqlite"));
    fixture.unpack(home.data());
    fixture.load_file(&home.data().join("faafo.db"));
    let service = home.start(&[BAND_AREA, &["--slots", "0"]].concat());
    assert_nothing_was_lost(&fixture, &service);
    service.terminate();
    let service = home.start(BAND_AREA);
    assert_all_finish(&fixture, &service);
    assert_nothing_was_lost(&fixture, &service);
    let blobs = assert_pictures_are_there(&service);
    assert_retried_posters_finish(&fixture, &service);
    let place = ["--data", home.data().to_str().unwrap()];
    assert_nothing_else_is_stored(&home, &place, &blobs);
    service.terminate();
    let guarded = home.start(&["--listen", "0.0.0.0:0"]);
    assert_tokens_work(&fixture, &guarded);
    assert!(!guarded.rest_of_stdout().contains("faafo_"), "no new token");
}

fn a_cluster_goes_on_where_it_was(engine: Engine, name: &'static str) {
    let (cluster, fixture) = (Cluster::new(engine), Fixture::read(name));
    fixture.unpack(cluster.home().data());
    fixture.load(engine, &cluster);
    // All at once: each may be the one that changes the tables.
    let _trackers = [cluster.tracker(), cluster.tracker()];
    let [api, second, guarded] = thread::scope(|scope| {
        let apis = ["127.0.0.1:0", "127.0.0.1:0", "0.0.0.0:0"].map(|address| {
            let cluster = &cluster;
            scope.spawn(move || cluster.api_at(address, BAND_AREA))
        });
        apis.map(|api| api.join().unwrap())
    });
    assert_nothing_was_lost(&fixture, &second);
    let _workers = [(); 2].map(|()| cluster.worker(&[&api], &["--threads", "1"]));
    assert_all_finish(&fixture, &api);
    assert_nothing_was_lost(&fixture, &api);
    let blobs = assert_pictures_are_there(&api);
    assert_retried_posters_finish(&fixture, &api);
    let storage = format!("file:{}", cluster.home().data().join("blobs").display());
    let place = [
        "--database-url",
        cluster.database_url(),
        "--storage-url",
        &storage,
    ];
    assert_nothing_else_is_stored(cluster.home(), &place, &blobs);
    assert_tokens_work(&fixture, &guarded);
    assert!(!guarded.rest_of_stdout().contains("faafo_"), "no new token");
}

#[test]
fn an_installation_on_postgres_goes_on_where_it_was() {
    a_cluster_goes_on_where_it_was(Engine::Postgres, "postgres");
}

#[test]
fn an_installation_on_mariadb_goes_on_where_it_was() {
    a_cluster_goes_on_where_it_was(Engine::MariaDb, "mariadb");
}
