//! A PostgreSQL or MariaDB.

use super::{free_address, kill, run, succeed};
use crate::cluster::Engine;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output};

/// A database server with one empty database.
pub struct Database {
    engine: Engine,
    folder: tempfile::TempDir,
    address: SocketAddr,
    server: Option<Child>,
}

impl Database {
    /// Starts one; returns once it answers.
    #[track_caller]
    pub fn start(engine: Engine) -> Self {
        let mut database = Self {
            engine,
            folder: tempfile::tempdir().unwrap(),
            address: free_address(),
            server: None,
        };
        let data = database.data();
        match engine {
            Engine::Postgres => {
                if geteuid().is_root() {
                    let folder = database.folder.path();
                    succeed(Command::new("chown").arg("postgres").arg(folder));
                }
                let flags = ["-NA", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"];
                succeed(postgres("initdb").args(flags).arg("-D").arg(data));
            }
            Engine::MariaDb => {
                let mut command = Command::new("mariadb-install-db");
                command
                    .args(["--no-defaults", "--skip-test-db"])
                    .arg("--auth-root-authentication-method=normal")
                    .arg(format!("--datadir={}", data.display()));
                succeed(&mut command);
            }
        }
        database.start_again();
        let created = database.sql("CREATE DATABASE faafo");
        assert!(created.status.success(), "{created:?}");
        database
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of its database, for those who reach it at `address`.
    pub fn url(&self, address: SocketAddr) -> String {
        match self.engine {
            Engine::Postgres => format!("postgres://postgres@{address}/faafo"),
            Engine::MariaDb => format!("mysql://root@{address}/faafo"),
        }
    }

    /// As when the power fails, only that PostgreSQL needs its own way to take all its processes with it.
    pub fn kill(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        match self.engine {
            Engine::Postgres => {
                // It may have ended.
                let _ = kill_process(Pid::from_child(&server), Signal::QUIT);
                let _ = server.wait();
            }
            Engine::MariaDb => kill(server),
        }
    }

    /// Starts it again, with the data that is there.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.address = free_address();
        let (folder, port) = (self.folder.path(), self.address.port());
        let mut command = match self.engine {
            Engine::Postgres => {
                let mut command = postgres("postgres");
                command
                    .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-D"])
                    .arg(self.data())
                    .arg("-k")
                    .arg(folder);
                command
            }
            Engine::MariaDb => {
                let mut command = Command::new("mariadbd");
                command
                    .args(["--no-defaults", "--bind-address=127.0.0.1"])
                    .arg(format!("--port={port}"))
                    .arg(format!("--datadir={}", self.data().display()))
                    .arg(format!("--socket={}", folder.join("socket").display()))
                    .arg("--innodb-buffer-pool-size=64M");
                if geteuid().is_root() {
                    command.arg("--user=root");
                }
                command
            }
        };
        let answers = || self.sql("SELECT 1").status.success();
        self.server = Some(run(&mut command, &folder.join("output"), answers));
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn sql(&self, statement: &str) -> Output {
        let port = self.address.port().to_string();
        let mut command = match self.engine {
            Engine::Postgres => {
                let mut command = Command::new("psql");
                command.args(["-qw", "-h", "127.0.0.1", "-U", "postgres", "-p", &port]);
                command.args(["-c", statement]);
                command
            }
            Engine::MariaDb => {
                let mut command = Command::new("mariadb");
                command.args(["--no-defaults", "-h", "127.0.0.1", "-u", "root"]);
                command.args(["-P", &port, "-e", statement]);
                command
            }
        };
        command
            .output()
            .expect("the database's command line client is installed")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program of the newest installed PostgreSQL, which does not run as root.
fn postgres(program: &str) -> Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let mut found: Vec<PathBuf> = versions
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin").join(program))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    let program = found.pop().unwrap_or_else(|| program.into());
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            "--",
        ])
        .arg(program)
        // Where it may read.
        .current_dir("/");
    command
}
