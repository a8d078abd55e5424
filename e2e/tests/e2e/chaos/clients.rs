//! Those who ask for fractals, and some that change their minds, while everything breaks.

use faafo_e2e::http::{Answer, Connection, Request};
use faafo_e2e::recipe;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// A request that nobody answers for so long will not be.
const PATIENCE: Duration = Duration::from_secs(180);

/// What was asked for, and accepted.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Chosen by the client, so that it knows its own again whatever became of the answer.
    pub id: String,
    pub recipe: Value,
    pub fate: Fate,
}

/// What the client did later on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Wanted,
    /// Deleted, and the service has said so.
    Deleted,
    /// Asked to be cancelled, perhaps too late.
    Cancelled,
}

/// Clients at work.
pub struct Clients {
    orders: Sender<usize>,
    counts: Arc<Counts>,
    work: JoinHandle<Vec<Wish>>,
    watch: JoinHandle<()>,
}

impl Clients {
    /// They know the load balancer and nothing else.
    pub fn start(balancer: SocketAddr, dice: fastrand::Rng) -> Self {
        let (orders, incoming) = channel();
        let counts = Arc::<Counts>::default();
        let client = Client {
            balancer,
            dice,
            counts: Arc::clone(&counts),
        };
        let watch = spawn({
            let counts = Arc::clone(&counts);
            move || {
                while !counts.finished.load(SeqCst) {
                    look_at_the_books(balancer, &counts);
                    sleep(Duration::from_millis(100));
                }
            }
        });
        Self {
            orders,
            counts,
            work: spawn(move || client.run(&incoming)),
            watch,
        }
    }

    /// So many more fractals are asked for, from now on.
    pub fn ask_for(&self, number: usize) {
        self.orders.send(number).unwrap();
    }

    /// Waits until all requests are answered. Returns what was accepted.
    pub fn finish(self) -> Vec<Wish> {
        drop(self.orders);
        let wishes = self.work.join().unwrap();
        self.counts.finished.store(true, SeqCst);
        self.watch.join().unwrap();
        wishes
    }
}

/// What has happened so far, by those who did it.
#[derive(Default)]
struct Counts {
    accepted: AtomicU64,
    /// Asked for; perhaps not yet done.
    deletions: AtomicU64,
    finished: AtomicBool,
}

/// Conservation at this moment: what was accepted before this question and not deleted since is counted, in one state.
fn look_at_the_books(balancer: SocketAddr, so_far: &Counts) {
    let accepted = so_far.accepted.load(SeqCst);
    let Some(answer) = ask(balancer, &Request::get("/v1/status")) else {
        return;
    };
    if answer.status != 200 {
        return;
    }
    let counts = answer.json();
    let count = |name: &str| counts[name].as_u64().unwrap();
    let states = ["queued", "rendering", "done", "failed", "cancelled"];
    let sum: u64 = states.into_iter().map(count).sum();
    assert_eq!(count("accepted"), sum, "{counts}");
    let deletions = so_far.deletions.load(SeqCst);
    let deleted = format!("{accepted} accepted, at most {deletions} deleted: {counts}");
    assert!(sum + deletions >= accepted, "{deleted}");
}

struct Client {
    balancer: SocketAddr,
    dice: fastrand::Rng,
    counts: Arc<Counts>,
}

impl Client {
    fn run(mut self, orders: &Receiver<usize>) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for number in orders {
            for _ in 0..number {
                wishes.push(self.create(wishes.len()));
                self.change_mind(&mut wishes);
            }
        }
        wishes
    }

    /// Asks until it is accepted. An answer that got lost may have been a 201: then the name is taken when it is asked
    /// for again, which is as good an answer.
    fn create(&mut self, number: usize) -> Wish {
        let id = uuid(&mut self.dice);
        let mut recipe = recipe::medium(number as u32);
        recipe["uuid"] = json!(id);
        let request = Request::new("POST", "/v1/fractal").json(&recipe);
        let mut is_doubtful = false;
        self.until_answered(&request, |answer| match answer {
            None => {
                is_doubtful = true;
                false
            }
            Some(answer) if answer.status == 201 => true,
            Some(answer) if answer.status == 400 && is_doubtful => {
                assert_eq!(answer.json()["field"], "uuid", "{}", answer.text());
                true
            }
            // The service, or the load balancer, says that it failed. It may have been done all the same: a transaction
            // whose end was not heard of, a server that died before it could answer.
            Some(answer) => {
                is_doubtful |= answer.status >= 500;
                false
            }
        });
        self.counts.accepted.fetch_add(1, SeqCst);
        Wish {
            id,
            recipe,
            fate: Fate::Wanted,
        }
    }

    fn change_mind(&mut self, wishes: &mut [Wish]) {
        let some = self.dice.usize(..wishes.len());
        let wish = &mut wishes[some];
        if wish.fate != Fate::Wanted {
            return;
        }
        let path = format!("/v1/fractal/{}", wish.id);
        match self.dice.u8(..20) {
            0 => {
                self.counts.deletions.fetch_add(1, SeqCst);
                let request = Request::new("DELETE", &path);
                self.until_answered(&request, |answer| {
                    answer.is_some_and(|answer| matches!(answer.status, 204 | 404))
                });
                wish.fate = Fate::Deleted;
            }
            1 => {
                let request = Request::new("POST", &format!("{path}/cancel"));
                self.until_answered(&request, |answer| {
                    answer.is_some_and(|answer| matches!(answer.status, 200 | 409))
                });
                wish.fate = Fate::Cancelled;
            }
            _ => {}
        }
    }

    /// Sends the request, as often as it takes.
    fn until_answered(
        &self,
        request: &Request,
        mut is_enough: impl FnMut(Option<&Answer>) -> bool,
    ) {
        let begun = Instant::now();
        loop {
            let answer = ask(self.balancer, request);
            if is_enough(answer.as_ref()) {
                return;
            }
            if let Some(answer) = &answer {
                assert!(answer.status >= 500, "{request:?}: {}", answer.text());
            }
            assert!(begun.elapsed() < PATIENCE, "{request:?}: {answer:?}");
            sleep(Duration::from_millis(100));
        }
    }
}

/// One try; `None` when the connection broke.
fn ask(balancer: SocketAddr, request: &Request) -> Option<Answer> {
    Connection::try_open(balancer).ok()?.try_send(request).ok()
}

/// Of version 4, by these dice.
fn uuid(dice: &mut fastrand::Rng) -> String {
    let bits = dice.u128(..) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}
