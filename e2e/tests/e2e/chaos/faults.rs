//! What can break, and how.

use super::installation::Installation;
use faafo_e2e::proxy::Proxy;
use std::thread::sleep;
use std::time::Duration;

/// A way to break something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    ApiKilled,
    ApiStopped,
    TrackerKilled,
    TrackerStopped,
    WorkerKilled,
    WorkerStopped,
    WorkerFrozen,
    BalancerKilled,
    BrokerKilled,
    BrokerWiped,
    DatabaseKilled,
    ObjectsDown,
    ConnectionsCut,
    ConnectionsStalled,
}

impl Fault {
    pub const ALL: [Self; 14] = [
        Self::ApiKilled,
        Self::ApiStopped,
        Self::TrackerKilled,
        Self::TrackerStopped,
        Self::WorkerKilled,
        Self::WorkerStopped,
        Self::WorkerFrozen,
        Self::BalancerKilled,
        Self::BrokerKilled,
        Self::BrokerWiped,
        Self::DatabaseKilled,
        Self::ObjectsDown,
        Self::ConnectionsCut,
        Self::ConnectionsStalled,
    ];
}

/// All faults but one, in random order, as many times over.
pub fn shuffled(rounds: usize, without: Option<Fault>, dice: &mut fastrand::Rng) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..rounds {
        let mut round = Fault::ALL.to_vec();
        round.retain(|fault| Some(*fault) != without);
        dice.shuffle(&mut round);
        faults.extend(round);
    }
    faults
}

/// How long things stay broken.
pub struct Outages {
    pub objects: Duration,
    pub frozen: Duration,
    pub stalled: Duration,
}

impl Installation {
    /// Breaks something and mends it. Says what, where there is a choice.
    pub fn suffer(
        &mut self,
        fault: Fault,
        outages: &Outages,
        dice: &mut fastrand::Rng,
    ) -> &'static str {
        match fault {
            Fault::ApiKilled | Fault::ApiStopped => {
                // The one that has run for longest.
                let api = self.apis.pop_front().unwrap();
                let address = api.address();
                if fault == Fault::ApiKilled {
                    api.kill9();
                } else {
                    api.terminate();
                }
                self.start_api(address);
            }
            Fault::TrackerKilled => {
                self.trackers.pop_front().unwrap().kill9();
                self.trackers.push_back(self.cluster.tracker());
            }
            Fault::TrackerStopped => {
                let tracker = self.trackers.pop_front().unwrap();
                assert_eq!(tracker.terminate(), Some(0));
                self.trackers.push_back(self.cluster.tracker());
            }
            Fault::WorkerKilled => {
                self.workers.pop_front().unwrap().kill9();
                self.start_worker();
            }
            Fault::WorkerStopped => {
                let worker = self.workers.pop_front().unwrap();
                assert_eq!(worker.terminate(), Some(0));
                self.start_worker();
            }
            Fault::WorkerFrozen => {
                let worker = &self.workers[dice.usize(..self.workers.len())];
                worker.freeze(true);
                sleep(outages.frozen);
                worker.freeze(false);
            }
            Fault::BalancerKilled => self.balancer.start_again(),
            Fault::BrokerKilled | Fault::BrokerWiped => {
                self.broker.kill();
                self.to_broker.cut();
                if fault == Fault::BrokerWiped {
                    self.broker.wipe();
                }
                self.broker.start_again();
                self.to_broker.lead_to(self.broker.address());
            }
            Fault::DatabaseKilled => {
                self.database.kill();
                self.to_database.cut();
                self.database.start_again();
                self.to_database.lead_to(self.database.address());
            }
            Fault::ObjectsDown => {
                self.objects.kill();
                self.to_objects.cut();
                sleep(outages.objects);
                self.objects.start_again();
                self.to_objects.lead_to(self.objects.address());
            }
            Fault::ConnectionsCut => {
                let (proxy, name) = self.some_proxy(dice);
                proxy.cut();
                return name;
            }
            Fault::ConnectionsStalled => {
                let (proxy, name) = self.some_proxy(dice);
                proxy.stall();
                sleep(outages.stalled);
                proxy.go_on();
                return name;
            }
        }
        ""
    }

    fn some_proxy(&self, dice: &mut fastrand::Rng) -> (&Proxy, &'static str) {
        match dice.u8(..3) {
            0 => (&self.to_broker, "to the broker"),
            1 => (&self.to_database, "to the database"),
            _ => (&self.to_objects, "to the object store"),
        }
    }
}
