//! A RabbitMQ.

use super::{free_address, kill, run, succeed};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

/// A node.
pub struct Broker {
    folder: tempfile::TempDir,
    name: String,
    address: SocketAddr,
    server: Option<Child>,
}

impl Broker {
    /// Starts one; returns once it answers.
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with("", "")
    }

    /// The same with lines for `rabbitmq.conf` and `advanced.config`.
    #[track_caller]
    pub fn start_with(config: &str, advanced: &str) -> Self {
        let mut broker = Self {
            folder: tempfile::tempdir().unwrap(),
            name: String::new(),
            address: free_address(),
            server: None,
        };
        broker.name = format!("faafo-e2e-{}@localhost", broker.address.port());
        for (name, content) in [
            ("environment", ""),
            ("rabbitmq.conf", config),
            ("advanced.config", advanced),
        ] {
            if !(content.is_empty() && name == "advanced.config") {
                fs::write(broker.folder.path().join(name), content).unwrap();
            }
        }
        broker.start_again();
        broker
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The messages in each queue, those in somebody's hands included.
    #[track_caller]
    pub fn messages(&self) -> BTreeMap<String, u64> {
        let mut command = self.command("rabbitmqctl");
        command.args([
            "-q",
            "--no-table-headers",
            "list_queues",
            "name",
            "messages",
        ]);
        succeed(&mut command)
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(queue, messages)| (queue.to_owned(), messages.trim().parse().unwrap()))
            .collect()
    }

    /// As when the power fails.
    pub fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            kill(server);
        }
    }

    /// Takes away all its data.
    pub fn wipe(&self) {
        fs::remove_dir_all(self.folder.path().join("data")).unwrap();
    }

    /// Starts it again, with the data that is there.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.address = free_address();
        let address = self.address;
        let mut command = self.command("rabbitmq-server");
        command
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", address.port().to_string())
            .env("RABBITMQ_DIST_PORT", free_address().port().to_string())
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1");
        let output = self.folder.path().join("output");
        self.server = Some(run(&mut command, &output, || greets(address)));
    }

    /// Not the programs on the path, which insist on the system's own user and folders.
    fn command(&self, program: &str) -> Command {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(scripts().join(program));
        command
            .env("HOME", self.folder.path())
            .env("RABBITMQ_CONF_ENV_FILE", path("environment"))
            .env("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", path("advanced.config"))
            .env("RABBITMQ_GENERATED_CONFIG_DIR", path("generated"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", path("plugins"))
            .env("RABBITMQ_MNESIA_BASE", path("data"))
            .env("RABBITMQ_LOG_BASE", path("log"))
            .env("RABBITMQ_NODENAME", &self.name);
        command
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

fn greets(address: SocketAddr) -> bool {
    let greet = || -> std::io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"AMQP\x00\x00\x09\x01")?;
        stream.read_exact(&mut [0])
    };
    greet().is_ok()
}

fn scripts() -> PathBuf {
    if let Some(server) = std::env::var_os("FAAFO_TEST_RABBITMQ_SERVER") {
        return PathBuf::from(server).parent().unwrap().to_owned();
    }
    let installed = fs::read_dir("/usr/lib/rabbitmq/lib").into_iter().flatten();
    installed
        .flatten()
        .map(|version| version.path().join("sbin"))
        .find(|scripts| scripts.join("rabbitmq-server").exists())
        .expect("these tests need an installed RabbitMQ, or its sbin/rabbitmq-server in FAAFO_TEST_RABBITMQ_SERVER")
}
