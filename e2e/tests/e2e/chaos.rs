//! Everything breaks, again and again, in an order that a seed decides; nothing that was accepted is lost.
//!
//! The installation is a whole one and the test's own: two API servers behind a load balancer, two trackers, three
//! workers, RabbitMQ, a database server, an S3 server, and a breakable proxy before each of the latter three. Clients
//! send requests while it breaks. In the end the books must balance, see `verdict.rs`.
//!
//! The short form breaks everything once (the broker in one way for each database). `FAAFO_E2E_CHAOS=1` is the long form: 300 fractals, 42 faults, outages as long
//! as in life; a higher number makes it as many times longer. `FAAFO_E2E_SEED` repeats what another run did, as far as
//! chance goes: which faults, in which order, on whom, and what is asked for.

mod clients;
mod faults;
mod installation;
mod verdict;
mod watchers;

use clients::Clients;
use faafo_e2e::cluster::Engine;
use faults::{Fault, Outages};
use installation::Installation;
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use watchers::Watchers;

/// How much of everything.
struct Scale {
    fractals: usize,
    /// How often everything is broken.
    rounds: usize,
    /// What is left out.
    without: Option<Fault>,
    /// The longest pause between two faults, in milliseconds.
    pause: u64,
    outages: Outages,
    /// For what is left to do when nothing breaks any more.
    patience: Duration,
}

impl Scale {
    fn chosen(engine: Engine) -> Self {
        match variable("FAAFO_E2E_CHAOS") {
            None => Self {
                fractals: 30,
                rounds: 1,
                // A broker takes its time to start: each of its deaths has one database to be tried with.
                without: Some(match engine {
                    Engine::Postgres => Fault::BrokerKilled,
                    Engine::MariaDb => Fault::BrokerWiped,
                }),
                pause: 600,
                outages: Outages {
                    objects: Duration::from_secs(2),
                    frozen: Duration::from_secs(2),
                    stalled: Duration::from_secs(2),
                },
                patience: Duration::from_secs(120),
            },
            Some(times) => Self {
                fractals: 300 * times as usize,
                rounds: 3 * times as usize,
                without: None,
                pause: 1500,
                outages: Outages {
                    objects: Duration::from_secs(20),
                    frozen: Duration::from_secs(60),
                    stalled: Duration::from_secs(30),
                },
                patience: Duration::from_secs(600),
            },
        }
    }
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

fn nothing_is_lost(engine: Engine) {
    let scale = Scale::chosen(engine);
    let seed = variable("FAAFO_E2E_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_nanos() as u64 % 1_000_000
    });
    eprintln!("{engine:?}: FAAFO_E2E_SEED={seed}");
    let begun = Instant::now();
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut installation = Installation::start(engine);
    let clients = Clients::start(installation.balancer.address(), dice.fork());
    let watchers = Watchers::start(&installation);
    let faults = faults::shuffled(scale.rounds, scale.without, &mut dice);
    let mut kinds = BTreeMap::new();
    for (number, &fault) in faults.iter().enumerate() {
        let share = |number| scale.fractals * number / faults.len();
        clients.ask_for(share(number + 1) - share(number));
        // Not only while the requests of the last moment are still on their way.
        std::thread::sleep(Duration::from_millis(dice.u64(100..scale.pause)));
        let seconds = begun.elapsed().as_secs_f64();
        let detail = installation.suffer(fault, &scale.outages, &mut dice);
        eprintln!(
            "{engine:?} {seconds:6.1} s, fault {}: {fault:?} {detail}",
            number + 1
        );
        *kinds.entry(fault).or_insert(0) += 1;
    }
    let wishes = clients.finish();
    let broken = begun.elapsed();
    let books = verdict::balance(&installation, &wishes, scale.patience);
    let events = watchers.finish();
    verdict::check_events(&events, &books);
    installation.end();
    eprintln!(
        "{engine:?}: seed {seed}, {} faults {kinds:?}; {} fractals: {books}; {events}; all within {:.0} s, the last {:.0} s \
         of them after the last fault",
        faults.len(),
        wishes.len(),
        begun.elapsed().as_secs_f64(),
        (begun.elapsed() - broken).as_secs_f64(),
    );
}

#[test]
fn nothing_is_lost_on_postgres_whatever_breaks() {
    nothing_is_lost(Engine::Postgres);
}

#[test]
fn nothing_is_lost_on_mariadb_whatever_breaks() {
    nothing_is_lost(Engine::MariaDb);
}
