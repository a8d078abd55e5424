//! Migrations in the middle of which the process is killed.

use super::fixture::Fixture;
use super::{BAND_AREA, assert_all_finish, assert_nothing_was_lost};
use faafo_e2e::Home;
use faafo_e2e::cluster::{Cluster, Engine};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

/// How often processes are killed on each database.
const KILLS: u64 = 12;

/// After how long each is killed: most of them within the second or two that all of it may take, some right at the
/// beginning, some when all is done.
fn moments() -> impl Iterator<Item = Duration> {
    (0..KILLS).map(|kill| {
        let most = 20 + kill * 80;
        Duration::from_millis(fastrand::u64(most / 2..=most))
    })
}

#[test]
fn a_migration_of_sqlite_that_is_killed_again_and_again_goes_on() {
    let (home, fixture) = (Home::new(), Fixture::read("sqlite"));
    fixture.unpack(home.data());
    fixture.load_file(&home.data().join("faafo.db"));
    let up = home.up(&["--slots", "0"]);
    for moment in moments() {
        let mut command = home.command(&up);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        sleep(moment);
        process.kill().unwrap();
        process.wait().unwrap();
    }
    let service = home.start(BAND_AREA);
    assert_nothing_was_lost(&fixture, &service);
    assert_all_finish(&fixture, &service);
}

/// Two migrate at the same time, so that one goes on where the other was killed.
fn a_migration_goes_on(engine: Engine, name: &'static str) {
    let (cluster, fixture) = (Cluster::new(engine), Fixture::read(name));
    fixture.unpack(cluster.home().data());
    fixture.load(engine, &cluster);
    let mut other = cluster.tracker();
    for moment in moments() {
        let next = cluster.tracker();
        sleep(moment);
        std::mem::replace(&mut other, next).kill9();
    }
    other.kill9();
    let api = cluster.api(BAND_AREA);
    assert_nothing_was_lost(&fixture, &api);
    let _worker = cluster.worker(&[&api], &[]);
    assert_all_finish(&fixture, &api);
}

#[test]
fn a_migration_of_postgres_that_is_killed_again_and_again_goes_on() {
    a_migration_goes_on(Engine::Postgres, "postgres");
}

#[test]
fn a_migration_of_mariadb_that_is_killed_again_and_again_goes_on() {
    a_migration_goes_on(Engine::MariaDb, "mariadb");
}
