//! A service split over processes: real RabbitMQ, a real database, any number of each role.

use crate::proxy::Proxy;
use crate::{Home, Service};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs::{OpenOptions, read_to_string};
use std::net::ToSocketAddrs;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Which engine holds the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    MariaDb,
}

/// Where the parts of a service are.
pub struct Urls {
    /// The rows.
    pub database: String,
    /// The queue.
    pub transport: String,
    /// The pictures.
    pub storage: String,
}

/// What the processes of one service share.
pub struct Cluster {
    home: Home,
    urls: Urls,
    /// Where all tests use the same servers.
    corner: Option<Corner>,
    failpoint: Option<String>,
}

impl Cluster {
    /// A fresh database on that engine, queues of its own, a folder for pictures. Its database and queues go with it.
    #[track_caller]
    pub fn new(engine: Engine) -> Self {
        let corner = Corner::new(Some(engine));
        let server = match engine {
            Engine::Postgres => variable(
                "FAAFO_TEST_POSTGRES",
                "postgres://postgres@127.0.0.1:5432/test",
            ),
            Engine::MariaDb => variable("FAAFO_TEST_MYSQL", "mysql://root@127.0.0.1:3306/test"),
        };
        let database = format!("{}/{}", server.rsplit_once('/').unwrap().0, corner.name);
        Self::in_corner(corner, Home::new(), database)
    }

    /// The same with an SQLite file, for one process that has it.
    #[track_caller]
    pub fn on_sqlite() -> Self {
        let home = Home::new();
        let database = format!("sqlite://{}", home.path().join("rows.db").display());
        Self::in_corner(Corner::new(None), home, database)
    }

    fn in_corner(corner: Corner, home: Home, database: String) -> Self {
        let broker = variable(
            "FAAFO_TEST_RABBITMQ",
            "amqp://guest:guest@127.0.0.1:5672/%2f",
        );
        Self {
            urls: Urls {
                database,
                transport: format!("{broker}?prefix={}.", corner.name),
                storage: format!("file:{}", home.data().join("blobs").display()),
            },
            home,
            corner: Some(corner),
            failpoint: None,
        }
    }

    /// The same, with a breakable proxy before the broker and one before the database.
    #[track_caller]
    pub fn behind_proxies(engine: Engine) -> (Self, Proxy, Proxy) {
        let mut cluster = Self::new(engine);
        let proxies = [&mut cluster.urls.transport, &mut cluster.urls.database].map(|url| {
            let host = url.split("://").nth(1).unwrap();
            let host = host.split('/').next().unwrap();
            let host = host.rsplit('@').next().unwrap().to_owned();
            let proxy = Proxy::to(host.to_socket_addrs().unwrap().next().unwrap());
            *url = url.replacen(&host, &proxy.address().to_string(), 1);
            proxy
        });
        let [to_broker, to_database] = proxies;
        (cluster, to_broker, to_database)
    }

    /// On servers that the test has started itself.
    pub fn at(urls: Urls) -> Self {
        Self {
            home: Home::new(),
            urls,
            corner: None,
            failpoint: None,
        }
    }

    /// The same, with pictures there.
    pub fn with_storage(mut self, url: &str) -> Self {
        url.clone_into(&mut self.urls.storage);
        self
    }

    /// Where the rows are.
    pub fn database_url(&self) -> &str {
        &self.urls.database
    }

    /// The same, with workers to which some recipes are poison (`FAAFO_FAILPOINT`, in debug builds only).
    pub fn with_failpoint(self, failpoint: &str) -> Self {
        Self {
            failpoint: Some(failpoint.to_owned()),
            ..self
        }
    }

    /// The folder in which everything runs.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Where the queue is.
    pub fn transport_url(&self) -> &str {
        &self.urls.transport
    }

    /// Starts an API server; it keeps the pictures as files.
    #[track_caller]
    pub fn api(&self, flags: &[&str]) -> Service {
        self.api_at("127.0.0.1:0", flags)
    }

    /// Starts an API server where an earlier one was.
    #[track_caller]
    pub fn api_at(&self, address: &str, flags: &[&str]) -> Service {
        // Each has a log of its own; the data folder stays unused.
        let mut command = self.role("api", flags);
        command.args(["--listen", address]);
        Service::launch(&Home::new(), command)
    }

    /// The messages in each queue, those in somebody's hands included; only where all tests use the same broker.
    #[track_caller]
    pub fn messages(&self) -> BTreeMap<String, u64> {
        self.corner
            .as_ref()
            .expect("the broker of all tests")
            .messages()
    }

    /// Starts a tracker.
    #[track_caller]
    pub fn tracker(&self) -> Process {
        self.tracker_with(&[])
    }

    /// Starts a tracker with these flags.
    #[track_caller]
    pub fn tracker_with(&self, flags: &[&str]) -> Process {
        self.process(self.role("tracker", flags))
    }

    /// Starts a worker that knows the queue and these API servers, and nothing else.
    #[track_caller]
    pub fn worker(&self, endpoints: &[&Service], flags: &[&str]) -> Process {
        let urls: Vec<String> = endpoints.iter().map(|api| api.url()).collect();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        self.worker_at(&[], &urls, flags)
    }

    /// The same by the servers' URLs, with these variables in its environment.
    #[track_caller]
    pub fn worker_at(
        &self,
        environment: &[(&str, &str)],
        endpoints: &[&str],
        flags: &[&str],
    ) -> Process {
        let mut command = self.home.command(&["worker", "-m", &self.urls.transport]);
        if let Some(failpoint) = &self.failpoint {
            command.env("FAAFO_FAILPOINT", failpoint);
        }
        for endpoint in endpoints {
            command.args(["-e", endpoint]);
        }
        command.args(flags).envs(environment.iter().copied());
        self.process(command)
    }

    fn role(&self, role: &str, flags: &[&str]) -> Command {
        let urls = &self.urls;
        let mut command = self.home.command(&[role, "-m", &urls.transport]);
        command
            .args(["--database-url", &urls.database])
            .args(["--storage-url", &urls.storage])
            .args(flags);
        command
    }

    fn process(&self, mut command: Command) -> Process {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.home.log());
        command.stdout(Stdio::null()).stderr(log.unwrap());
        Process {
            child: command.spawn().unwrap(),
            home: self.home.clone(),
        }
    }
}

/// A database and queues that nobody else uses, on the servers of all tests.
struct Corner {
    engine: Option<Engine>,
    name: String,
}

impl Corner {
    #[track_caller]
    fn new(engine: Option<Engine>) -> Self {
        let unique = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_nanos();
        let name = format!("faafo_e2e_{}_{unique}", std::process::id());
        let corner = Self { engine, name };
        corner.sql(&format!("CREATE DATABASE {}", corner.name));
        corner
    }

    /// Tells the server something; SQLite has none.
    #[track_caller]
    fn sql(&self, statement: &str) {
        let mut command = match self.engine {
            Some(Engine::Postgres) => {
                let mut command = Command::new("psql");
                command.args(["-qw", "-h", "127.0.0.1", "-U", "postgres", "-c", statement]);
                command
            }
            Some(Engine::MariaDb) => {
                let mut command = Command::new("mariadb");
                command.args(["-h", "127.0.0.1", "-u", "root", "-e", statement]);
                command
            }
            None => return,
        };
        let output = command
            .output()
            .expect("the database's command line client is installed");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{:?} does not answer: {complaint}",
            self.engine
        );
    }

    /// Only this machine's own broker is asked.
    fn messages(&self) -> BTreeMap<String, u64> {
        let list = Command::new("rabbitmqctl")
            .args([
                "-q",
                "--no-table-headers",
                "list_queues",
                "name",
                "messages",
            ])
            .output();
        let Ok(list) = list else {
            return BTreeMap::new();
        };
        String::from_utf8_lossy(&list.stdout)
            .lines()
            .filter_map(|line| line.strip_prefix(&self.name)?.split_once('\t'))
            .map(|(queue, messages)| (queue.to_owned(), messages.trim().parse().unwrap_or(0)))
            .collect()
    }
}

impl Drop for Corner {
    fn drop(&mut self) {
        let how = if self.engine == Some(Engine::Postgres) {
            " WITH (FORCE)"
        } else {
            ""
        };
        self.sql(&format!("DROP DATABASE {}{how}", self.name));
        // All queues at once: each call of rabbitmqctl takes a second.
        let delete = format!(
            "[rabbit_amqqueue:delete(Q, false, false, <<\"test\">>) || Q <- rabbit_amqqueue:list(), \
             binary:match(element(4, amqqueue:get_name(Q)), <<\"{}\">>) =:= {{0, {}}}].",
            self.name,
            self.name.len()
        );
        let _ = Command::new("rabbitmqctl")
            .args(["-q", "eval", &delete])
            .output();
    }
}

fn variable(name: &str, otherwise: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| otherwise.to_owned())
}

/// Lines of a log that a failed test shows.
const LINES: usize = 150;

/// A role that serves nothing. Killed when dropped.
pub struct Process {
    child: Child,
    home: Home,
}

impl Process {
    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it without warning.
    pub fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Stops (SIGSTOP) or continues it (SIGCONT).
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Asks it to stop, and returns its exit code once it has.
    #[track_caller]
    pub fn terminate(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        crate::wait_for("the process ends", || self.child.try_wait().unwrap()).code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = read_to_string(self.home.log()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LINES)..];
            eprintln!("the log ends:\n{}", last.join("\n"));
        }
    }
}
