//! Starting, stopping, crashing.

use faafo_e2e::{Home, Service, complaint, pictures, recipe, wait_until};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[test]
fn fifty_fractals_survive_being_killed_five_times_over() {
    let home = Home::new();
    let mut service = home.start(&[]);
    let ids: Vec<String> = (0..50)
        .map(|number| service.create(&recipe::medium(number)))
        .collect();
    for round in 1..=5 {
        wait_until("the next few are done", || {
            service.count("done") >= round * 3
        });
        assert!(
            service.count("done") < 50,
            "too late to kill it in the middle"
        );
        service.kill9();
        service = home.start(&[]);
    }
    service.wait_until_all_done(50);
    let mut referenced = BTreeSet::new();
    for id in &ids {
        referenced.insert(pictures::sha256(&service.picture(id)));
        referenced.insert(pictures::sha256(
            &service.get(&format!("/fractal/{id}/thumbnail")).body,
        ));
    }
    assert_eq!(home.blobs(), referenced);
    assert!(home.unfinished_files().is_empty());
}

#[test]
fn told_to_stop_it_finishes_what_it_has_begun() {
    let home = Home::new();
    let service = home.start(&["--slots", "2"]);
    let ids: Vec<String> = (0..20)
        .map(|number| service.create(&recipe::medium(number)))
        .collect();
    wait_until("some are being rendered", || service.count("rendering") > 0);
    let begun: Vec<&String> = ids
        .iter()
        .filter(|id| service.row(id)["state"] == "rendering")
        .collect();
    service.ask_to_stop();
    let (code, seconds) = service.wait();
    assert_eq!(code, Some(0));
    assert!(seconds < 15.0, "{seconds}");

    let service = home.start(&["--slots", "0"]);
    for id in begun {
        assert_eq!(service.row(id)["state"], "done");
    }
    wait_until("the others wait", || {
        service.count("done") + service.count("queued") == 20
    });
    service.terminate();
    home.start(&[]).wait_until_all_done(20);
}

#[test]
fn what_takes_too_long_to_finish_is_handed_back() {
    let home = Home::new();
    let service = home.start(&["--threads", "1"]);
    let id = service.create(&recipe::long());
    service.wait_until_state(&id, "rendering");
    service.ask_to_stop();
    let (code, seconds) = service.wait();
    assert_eq!(code, Some(0));
    assert!(seconds < 20.0, "{seconds}");
    let service = home.start(&["--slots", "0"]);
    service.wait_until_state(&id, "queued");
    assert!(home.unfinished_files().is_empty());
}

#[test]
fn a_data_folder_is_used_by_one_service_at_a_time() {
    let home = Home::new();
    let service = home.start(&[]);
    let line = complaint(&home.run(&home.up(&[])));
    assert!(
        line.contains("in use by another faafo") && line.contains("data"),
        "{line}"
    );
    service.create_done(&recipe::small());
    service.kill9();
    // A killed one does not keep it.
    home.start(&[]).wait_until_all_done(1);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let service = Service::start(&[]);
    let address = service.address().to_string();
    let line = complaint(&Home::new().run(&["up", "--listen", &address]));
    assert!(
        line.contains(&format!("can't listen on {address}")),
        "{line}"
    );
}

#[test]
fn rubbish_in_the_settings_is_named() {
    for (text, expected) in [
        (
            "bind_prot = 1",
            "there is no setting \"bind_prot\"; did you mean \"bind_port\"?",
        ),
        ("bind_port = \"http\"", "bind_port must be a whole number"),
        ("database_url = \"nosuch://x\"", "nosuch"),
        ("storage_url = \"nosuch:x\"", "nosuch"),
        ("transport_url = \"nosuch:x\"", "nosuch"),
    ] {
        let home = Home::new();
        std::fs::write(home.path().join("faafo.toml"), text).unwrap();
        let line = complaint(&home.run(&home.up(&[])));
        assert!(line.contains(expected), "{text}: {line}");
    }
}

#[test]
fn it_answers_soon_after_its_start() {
    let begun = Instant::now();
    let service = Service::start(&[]);
    assert_eq!(service.get("/readyz").status, 200);
    assert_eq!(service.get("/").status, 200);
    // Debug build, busy machine; a release build takes a small part of this.
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn the_data_folder_may_have_any_name() {
    let home = Home::with_data("odd data ?mode=memory&x%20#é");
    let service = home.start(&[]);
    let id = service.create_done(&recipe::small());
    let picture = service.picture(&id);
    service.kill9();
    assert!(home.data().join("faafo.db").is_file());
    assert!(home.start(&[]).picture(&id) == picture);
}

#[test]
fn a_newcomer_is_greeted_with_pictures_once() {
    let home = Home::welcoming();
    let service = home.start(&[]);
    let greeting = service.count("accepted");
    assert!((1..20).contains(&greeting), "{greeting}");
    service.wait_until_all_done(greeting);
    let rows = service.json("/v1/fractal?results_per_page=-1");
    let ids = rows["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["uuid"].as_str().unwrap());
    for id in ids {
        assert!(service.get("/").text().contains(id));
        service.delete(id);
    }
    service.terminate();
    assert_eq!(home.start(&[]).count("accepted"), 0);
}
