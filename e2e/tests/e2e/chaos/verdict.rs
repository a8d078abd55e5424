//! Do the books balance?

use super::clients::{Fate, Wish};
use super::installation::Installation;
use super::watchers::Events;
use faafo_e2e::http::{Answer, Connection, Request};
use faafo_e2e::{Home, pictures};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How many of the pictures are made once more, by a service that nothing happens to.
const SAMPLES: usize = 5;

/// How everything ended.
#[derive(Debug, Default)]
pub struct Books {
    /// The state of every fractal that is still there.
    states: BTreeMap<String, String>,
    deleted: usize,
    /// Why some failed.
    reasons: Vec<String>,
    /// How often fractals had to be tried.
    attempts: BTreeMap<u64, usize>,
    dead_letters: u64,
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |name: &str| self.states.values().filter(|state| *state == name).count();
        write!(
            f,
            "{} done, {} failed {:?}, {} cancelled, {} deleted, attempts {:?}, {} dead letters",
            count("done"),
            count("failed"),
            self.reasons,
            count("cancelled"),
            self.deleted,
            self.attempts,
            self.dead_letters,
        )
    }
}

/// Waits until nothing is left to do. Then: what was accepted is there, each once, and has ended as it should; every
/// picture is what its row says and what its recipe demands; every stored object belongs to a row; nothing is left in the queues but dead letters.
pub fn balance(installation: &Installation, wishes: &[Wish], patience: Duration) -> Books {
    let balancer = installation.balancer.address();
    let deadline = Instant::now() + patience;
    until("everything has ended", deadline, || {
        let counts = get(balancer, "/v1/status").json();
        if counts["queued"] == 0 && counts["rendering"] == 0 {
            return Ok(());
        }
        Err(counts.to_string())
    });
    let rows = get(balancer, "/v1/fractal?results_per_page=-1").json();
    let rows: BTreeMap<String, Value> = rows["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["uuid"].as_str().unwrap().to_owned(), row.clone()))
        .collect();
    let kept = || wishes.iter().filter(|wish| wish.fate != Fate::Deleted);
    let expected: BTreeSet<&String> = kept().map(|wish| &wish.id).collect();
    assert_eq!(rows.keys().collect::<BTreeSet<_>>(), expected);

    let mut books = Books {
        deleted: wishes.len() - rows.len(),
        ..Books::default()
    };
    let mut referenced = BTreeSet::new();
    for wish in kept() {
        let row = &rows[&wish.id];
        let state = row["state"].as_str().unwrap();
        *books
            .attempts
            .entry(row["attempt"].as_u64().unwrap())
            .or_default() += 1;
        match state {
            "done" => referenced.extend(check_pictures(balancer, row)),
            "failed" => {
                let reason = row["error"].as_str().unwrap_or_default().to_owned();
                assert!(reason.starts_with("gave up after "), "{row}");
                books.reasons.push(reason);
            }
            "cancelled" => assert_eq!(wish.fate, Fate::Cancelled, "{row}"),
            _ => panic!("{row}"),
        }
        books.states.insert(wish.id.clone(), state.to_owned());
    }
    let counts = get(balancer, "/v1/status").json();
    assert_eq!(counts["accepted"], rows.len(), "{counts}");
    until("no object is left over", deadline, || {
        let stored = installation.objects.names();
        let missing: Vec<_> = referenced.difference(&stored).collect();
        assert!(
            missing.is_empty(),
            "rows without their objects: {missing:?}"
        );
        let left: Vec<_> = stored.difference(&referenced).collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(format!("{left:?}"))
    });
    until("the queues are empty", deadline, || {
        let mut messages = installation.broker.messages();
        books.dead_letters = messages.remove("faafo.dead").unwrap_or_default();
        if messages.values().all(|&number| number == 0) {
            return Ok(());
        }
        Err(format!("{messages:?}"))
    });
    check_samples(wishes, &rows);
    books
}

/// Downloads picture and thumbnail; returns their names.
fn check_pictures(balancer: SocketAddr, row: &Value) -> [String; 2] {
    let id = row["uuid"].as_str().unwrap();
    let picture = get(balancer, &format!("/fractal/{id}")).body;
    let checksum = pictures::sha256(&picture);
    assert_eq!(row["checksum"], checksum);
    assert_eq!(row["size"], picture.len());
    let (width, height) = pictures::decoded_size(&picture);
    assert_eq!(
        (&row["width"], &row["height"]),
        (&width.into(), &height.into())
    );
    let thumbnail = get(balancer, &format!("/fractal/{id}/thumbnail")).body;
    pictures::decoded_size(&thumbnail);
    [checksum, pictures::sha256(&thumbnail)]
}

/// The same recipes give the same bytes where nothing breaks.
fn check_samples(wishes: &[Wish], rows: &BTreeMap<String, Value>) {
    let quiet = Home::new().start(&[]);
    let done = |wish: &&Wish| rows.get(&wish.id).is_some_and(|row| row["state"] == "done");
    let step = wishes.len().div_ceil(SAMPLES);
    for wish in wishes.iter().filter(done).step_by(step) {
        let id = quiet.create_done(&wish.recipe);
        assert_eq!(quiet.row(&id)["checksum"], rows[&wish.id]["checksum"]);
    }
}

/// No doubled event: each listener, from its first connection to the last, has heard at most once that a fractal was
/// done, failed or cancelled, at most one of these, and what its row says; and at most once that it was deleted. Events
/// may get lost, as documented; that none comes twice is because only the process whose update changed the row's state
/// announces it.
pub fn check_events(events: &Events, books: &Books) {
    for heard in &events.0 {
        for (id, changes) in heard {
            let ends: Vec<_> = changes
                .iter()
                .filter(|change| *change != "deleted")
                .collect();
            assert!(ends.len() <= 1, "{id}: {changes:?}");
            assert!(changes.len() - ends.len() <= 1, "{id}: {changes:?}");
            if let (Some(state), [end]) = (books.states.get(id), &ends[..]) {
                assert_eq!(&state, end, "{id}");
            }
        }
    }
}

/// What is at this path, by any server that is ready: the last fault may not be over for all of them.
fn get(balancer: SocketAddr, path: &str) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut found = None;
    until(path, deadline, || {
        let connection = Connection::try_open(balancer).map_err(|error| error.to_string())?;
        let mut connection = connection;
        match connection.try_send(&Request::get(path)) {
            Ok(answer) if answer.status == 200 => {
                found = Some(answer);
                Ok(())
            }
            other => Err(format!("{other:?}")),
        }
    });
    found.unwrap()
}

fn until(what: &str, deadline: Instant, mut look: impl FnMut() -> Result<(), String>) {
    while let Err(why) = look() {
        assert!(Instant::now() < deadline, "waited in vain: {what}: {why}");
        sleep(Duration::from_millis(100));
    }
}
