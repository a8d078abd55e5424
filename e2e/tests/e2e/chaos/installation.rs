//! All that is to be broken.

use faafo_e2e::cluster::{Cluster, Engine, Process, Urls};
use faafo_e2e::proxy::Proxy;
use faafo_e2e::servers::{Balancer, Broker, Database, Objects};
use faafo_e2e::{PATIENCE, Service};
use std::collections::VecDeque;
use std::fs::read_to_string;
use std::net::TcpStream;
use std::time::Instant;

pub const WORKERS: usize = 3;

/// A whole installation.
pub struct Installation {
    /// Those that run; the one that was started last comes last.
    pub apis: VecDeque<Service>,
    pub trackers: VecDeque<Process>,
    pub workers: VecDeque<Process>,
    pub cluster: Cluster,
    pub balancer: Balancer,
    pub broker: Broker,
    pub database: Database,
    pub objects: Objects,
    pub to_broker: Proxy,
    pub to_database: Proxy,
    pub to_objects: Proxy,
    /// Where the API servers are, also while they are away.
    pub addresses: Vec<std::net::SocketAddr>,
    /// Workers started so far.
    started: usize,
}

impl Installation {
    /// Starts everything.
    pub fn start(engine: Engine) -> Self {
        let broker = std::thread::spawn(Broker::start);
        let (database, objects) = (Database::start(engine), Objects::start());
        let broker = broker.join().unwrap();
        let to_broker = Proxy::to(broker.address());
        let to_database = Proxy::to(database.address());
        let to_objects = Proxy::to(objects.address());
        let cluster = Cluster::at(Urls {
            database: database.url(to_database.address()),
            transport: format!("amqp://guest:guest@{}/%2f", to_broker.address()),
            storage: objects.url(to_objects.address()),
        });
        // What is left over shall go before the test ends.
        let settings = cluster.home().path().join("faafo.toml");
        std::fs::write(settings, "tidy_after = 10\n").unwrap();
        let apis: VecDeque<Service> = (0..2).map(|_| cluster.api(&["--no-tracker"])).collect();
        let addresses: Vec<_> = apis.iter().map(Service::address).collect();
        let mut installation = Self {
            balancer: Balancer::start(&addresses),
            trackers: (0..2).map(|_| cluster.tracker()).collect(),
            workers: VecDeque::new(),
            apis,
            cluster,
            broker,
            database,
            objects,
            to_broker,
            to_database,
            to_objects,
            addresses,
            started: 0,
        };
        for _ in 0..WORKERS {
            installation.start_worker();
        }
        installation
    }

    /// Starts one more. Every third knows no picture store and sends its pictures through the API servers.
    pub fn start_worker(&mut self) {
        self.started += 1;
        let storage = self.objects.url(self.to_objects.address());
        let mut flags = vec!["--threads", "1", "--slots", "2"];
        if !self.started.is_multiple_of(WORKERS) {
            flags.extend(["--storage-url", &storage]);
        }
        let apis: Vec<&Service> = self.apis.iter().collect();
        let worker = self.cluster.worker(&apis, &flags);
        self.workers.push_back(worker);
    }

    /// Starts an API server again where it was.
    pub fn start_api(&mut self, address: std::net::SocketAddr) {
        let begun = Instant::now();
        // The system may take a moment to give the port back.
        while TcpStream::connect(address).is_ok() {
            assert!(begun.elapsed() < PATIENCE, "{address} is taken");
        }
        let api = self.cluster.api_at(&address.to_string(), &["--no-tracker"]);
        self.apis.push_back(api);
    }

    /// Stops everything; all processes end well, and none has met an error that it did not expect.
    pub fn end(self) {
        for process in self.workers.into_iter().chain(self.trackers) {
            assert_eq!(process.terminate(), Some(0));
        }
        self.apis.into_iter().for_each(Service::terminate);
        let log = read_to_string(self.cluster.home().log()).unwrap();
        let bad = |line: &&str| line.contains(" ERROR ") || line.contains(" panicked at ");
        let bad: Vec<_> = log.lines().filter(bad).collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }
}
