//! A service split over processes: real RabbitMQ, a real database, any number of each role.

use crate::{Home, Service};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{OpenOptions, read_to_string};
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

/// What the processes of one service share. Its database and queues go with it.
pub struct Cluster {
    engine: Engine,
    name: String,
    home: Home,
    database_url: String,
    transport_url: String,
}

impl Cluster {
    /// A fresh database on that engine, queues of its own, a folder for pictures.
    #[track_caller]
    pub fn new(engine: Engine) -> Self {
        let unique = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_nanos();
        let name = format!("faafo_e2e_{}_{unique}", std::process::id());
        let server = match engine {
            Engine::Postgres => variable(
                "FAAFO_TEST_POSTGRES",
                "postgres://postgres@127.0.0.1:5432/test",
            ),
            Engine::MariaDb => variable("FAAFO_TEST_MYSQL", "mysql://root@127.0.0.1:3306/test"),
        };
        let broker = variable(
            "FAAFO_TEST_RABBITMQ",
            "amqp://guest:guest@127.0.0.1:5672/%2f",
        );
        let cluster = Self {
            engine,
            home: Home::new(),
            database_url: format!("{}/{name}", server.rsplit_once('/').unwrap().0),
            transport_url: format!("{broker}?prefix={name}."),
            name,
        };
        cluster.sql(&format!("CREATE DATABASE {}", cluster.name));
        cluster
    }

    /// The folder in which everything runs.
    pub fn home(&self) -> &Home {
        &self.home
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

    /// Starts a tracker.
    #[track_caller]
    pub fn tracker(&self) -> Process {
        self.process(self.role("tracker", &[]))
    }

    /// Starts a worker that knows the queue and these API servers, and nothing else.
    #[track_caller]
    pub fn worker(&self, endpoints: &[&Service], flags: &[&str]) -> Process {
        let mut command = self.home.command(&["worker", "-m", &self.transport_url]);
        for endpoint in endpoints {
            command.args(["-e", &endpoint.url()]);
        }
        command.args(flags);
        self.process(command)
    }

    fn role(&self, role: &str, flags: &[&str]) -> Command {
        let storage_url = format!("file:{}", self.home.data().join("blobs").display());
        let mut command = self.home.command(&[role, "-m", &self.transport_url]);
        command
            .args([
                "--database-url",
                &self.database_url,
                "--storage-url",
                &storage_url,
            ])
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

    #[track_caller]
    fn sql(&self, statement: &str) {
        let mut command = match self.engine {
            Engine::Postgres => {
                let mut command = Command::new("psql");
                command.args(["-qw", "-h", "127.0.0.1", "-U", "postgres", "-c", statement]);
                command
            }
            Engine::MariaDb => {
                let mut command = Command::new("mariadb");
                command.args(["-h", "127.0.0.1", "-u", "root", "-e", statement]);
                command
            }
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
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let how = if self.engine == Engine::Postgres {
            " WITH (FORCE)"
        } else {
            ""
        };
        self.sql(&format!("DROP DATABASE {}{how}", self.name));
        // The queues that carry the name; only this machine's own broker is told.
        let list = Command::new("rabbitmqctl")
            .args(["-q", "--no-table-headers", "list_queues", "name"])
            .output();
        let Ok(list) = list else { return };
        for queue in String::from_utf8_lossy(&list.stdout)
            .lines()
            .filter(|queue| queue.starts_with(&self.name))
        {
            let _ = Command::new("rabbitmqctl")
                .args(["-q", "delete_queue", queue])
                .output();
        }
    }
}

fn variable(name: &str, otherwise: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| otherwise.to_owned())
}

/// A role that serves nothing. Killed when dropped.
pub struct Process {
    child: Child,
    home: Home,
}

impl Process {
    /// Kills it without warning.
    pub fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
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
            eprintln!(
                "the log:\n{}",
                read_to_string(self.home.log()).unwrap_or_default()
            );
        }
    }
}
