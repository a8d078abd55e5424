//! Lists that are whole, and deleting that leaves nothing behind.

use faafo_e2e::http::Request;
use faafo_e2e::{Home, Service, pictures, printed, recipe, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn names(objects: &Value) -> Vec<String> {
    let rows = objects.as_array().unwrap().iter();
    rows.map(|row| row["uuid"].as_str().unwrap().to_owned())
        .collect()
}

/// Defect 17: `list` went page by page, dropped pages that failed, and at some sizes lost all but the last one's rows.
#[test]
fn twelve_thousand_rows_are_listed_each_once() {
    const CLIENTS: usize = 16;
    const EACH: usize = 750;
    let service = Service::start(&["--slots", "0"]);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut connection = service.connect();
                let create = Request::new("POST", "/v1/fractal").json(&recipe::small());
                for _ in 0..EACH {
                    assert_eq!(connection.send(&create).status, 201);
                }
            });
        }
    });
    let all = service.json("/v1/fractal?results_per_page=-1");
    let mut expected = names(&all["objects"]);
    assert_eq!(all["num_results"], CLIENTS * EACH);
    assert_eq!(
        expected.iter().collect::<BTreeSet<_>>().len(),
        CLIENTS * EACH
    );

    for (size, pages) in [(100, 120), (97, 124)] {
        let mut walked = Vec::new();
        for page in 1..=pages {
            let page = service.json(&format!("/v1/fractal?results_per_page={size}&page={page}"));
            assert_eq!(page["total_pages"], pages);
            walked.extend(names(&page["objects"]));
        }
        assert!(walked == expected, "pages of {size}");
    }

    let text = printed(&service.cli(&["list"]));
    let mut listed: Vec<String> = text.lines().map(|line| line[2..38].to_owned()).collect();
    listed.sort();
    expected.sort();
    assert!(listed == expected);
}

/// Defect 18: deleting left the task and the stored picture behind.
#[test]
fn deleting_a_finished_fractal_removes_its_files() {
    let service = Service::start(&[]);
    let same = recipe::with(recipe::small(), json!({"cx": -0.8, "cy": 0.156}));
    let (first, second) = (service.create_done(&same), service.create_done(&same));
    assert!(!service.home().blobs().is_empty());
    // The two share what is stored: it stays until both have gone.
    service.delete(&first);
    assert_eq!(service.get(&format!("/fractal/{first}")).status, 404);
    service.picture(&second);
    service.delete(&second);
    wait_until("no blob is left", || service.home().blobs().is_empty());
    assert_eq!(service.count("accepted"), 0);
}

/// Defect 18, for what a worker stored for a fractal that is no more, and never told anybody of.
#[test]
fn what_nobody_heard_of_is_removed_by_itself() {
    let home = Home::new();
    let settings = home.path().join("faafo.toml");
    std::fs::write(settings, "tidy_after = 1\n").unwrap();
    let service = home.start(&[]);
    let id = service.create_done(&recipe::small());
    let blobs = home.blobs();
    let left = Request::new("PUT", "/v1/blobs").body(pictures::some_png(3, 2));
    assert!((200..300).contains(&service.send(&left).status));
    assert_eq!(home.blobs().len(), blobs.len() + 1);
    wait_until("it is gone", || home.blobs() == blobs);
    service.picture(&id);
}

/// Defect 18, for what is being rendered and what waits for it.
#[test]
fn deleting_an_unfinished_fractal_stops_the_work() {
    let service = Service::start(&["--slots", "1", "--threads", "1"]);
    let rendering = service.create(&recipe::long());
    let waiting = service.create(&recipe::medium(1));
    service.wait_until_state(&rendering, "rendering");
    for id in [&waiting, &rendering] {
        service.delete(id);
        assert_eq!(service.get(&format!("/v1/fractal/{id}")).status, 404);
    }
    // The one slot is free at once, though the picture would have taken minutes.
    let last = service.create_done(&recipe::small());
    assert!(service.home().unfinished_files().is_empty());
    let thumbnail = service.get(&format!("/fractal/{last}/thumbnail")).body;
    let stored = [
        pictures::sha256(&service.picture(&last)),
        pictures::sha256(&thumbnail),
    ];
    assert_eq!(service.home().blobs(), BTreeSet::from(stored));
    assert_eq!(service.count("accepted"), 1);
}

/// Defect 18, for what was deleted before any worker saw it.
#[test]
fn what_was_deleted_while_it_waited_is_never_rendered() {
    let home = Home::new();
    let service = home.start(&["--slots", "0"]);
    let deleted = service.create(&recipe::small());
    let kept = service.create(&recipe::small());
    service.delete(&deleted);
    service.kill9();
    let service = home.start(&[]);
    service.wait_until_all_done(1);
    service.picture(&kept);
    assert!(service.home().blobs().len() <= 2);
}
