//! Databases and disks that take nothing for a while, or lose what they had.

use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::http::Request;
use faafo_e2e::{Home, Service, recipe, wait_until};
use serde_json::json;
use std::fs::{File, remove_file};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// The service on a disk of its own, of so many megabytes. Returns the way to its data folder from here, too.
fn on_a_disk_of(megabytes: u32, home: &Home, flags: &[&str]) -> (Service, PathBuf) {
    std::fs::create_dir_all(home.data()).unwrap();
    let service = home.command(&home.up(flags));
    let mount = format!("mount -t tmpfs -o size={megabytes}m tmpfs \"$0\" && exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &mount]);
    command.arg(home.data()).arg(service.get_program());
    command.args(service.get_args()).current_dir(home.path());
    for (name, value) in service.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let service = Service::launch(home, command);
    let seen = format!("/proc/{}/root{}", service.process(), home.data().display());
    (service, seen.into())
}

#[test]
fn a_full_disk_refuses_what_is_new_says_so_and_heals_by_itself() {
    let home = Home::new();
    let (service, data) = on_a_disk_of(24, &home, &["--slots", "0"]);
    let early = service.create(&recipe::medium(0));
    assert_eq!(service.get("/readyz").status, 200);

    let filler = data.join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    drop(file);
    let create = Request::new("POST", "/v1/fractal").json(&recipe::medium(1));
    let mut accepted = vec![early.clone()];
    let refused = loop {
        let answer = service.send(&create);
        match answer.status {
            // What is still left of the last page.
            201 if accepted.len() < 20 => {
                accepted.push(answer.json()["uuid"].as_str().unwrap().to_owned());
            }
            _ => break answer,
        }
    };
    assert_eq!(refused.status, 507, "{}", refused.text());
    assert!(refused.text().contains("room"), "{}", refused.text());
    let delete = Request::new("DELETE", &format!("/v1/fractal/{early}"));
    assert_eq!(service.send(&delete).status, 507);
    let store = Request::new("PUT", "/v1/blobs").body(vec![7; 100_000]);
    assert_eq!(service.send(&store).status, 507);
    let unready = service.get("/readyz");
    assert_eq!(unready.status, 503);
    assert!(
        unready.text().contains("database is full"),
        "{}",
        unready.text()
    );
    assert!(
        unready.text().contains("storage is full"),
        "{}",
        unready.text()
    );
    assert_eq!(service.get("/healthz").status, 200);
    for id in &accepted {
        assert_eq!(service.row(id)["state"], "queued");
    }

    remove_file(filler).unwrap();
    wait_until("it is ready again", || service.get("/readyz").status == 200);
    accepted.push(service.create(&recipe::medium(2)));
    assert_eq!(service.send(&delete).status, 204);
    assert_eq!(service.send(&store).status, 201);
    assert_eq!(service.count("accepted") as usize, accepted.len() - 1);
    // Warnings are all that the log may have of it.
    service.terminate();
}

#[test]
fn work_that_nobody_has_a_row_for_is_stopped() {
    let cluster = Cluster::new(Engine::Postgres);
    let api = cluster.api(&[]);
    let _worker = cluster.worker(&[&api], &["--slots", "1"]);
    let large = json!({"width": 6000, "height": 6000});
    let id = api.create(&recipe::with(recipe::long(), large));
    let current = || api.json("/v1/workers")["workers"][0]["current"].clone();
    wait_until("a worker is at it", || current() == json!([id]));
    // As after a failover that has lost the last transactions: no event tells.
    let lose = "DELETE FROM tasks; DELETE FROM fractals";
    let mut psql = Command::new("psql");
    psql.args(["-qX", cluster.database_url(), "-c", lose]);
    assert!(psql.status().unwrap().success());
    wait_until("the worker has stopped", || current() == json!([]));
}
