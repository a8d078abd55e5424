//! A RabbitMQ of a test's own, to be killed and wiped.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Seconds after which this node takes an unacknowledged delivery for lost.
pub const CONSUMER_TIMEOUT: u64 = 3;

/// A node, and its data in a temporary folder.
pub struct Node {
    folder: tempfile::TempDir,
    port: u16,
    tls_port: u16,
    distribution_port: u16,
    server: Option<Child>,
}

impl Node {
    pub fn start() -> Self {
        let mut node = Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            tls_port: free_port(),
            distribution_port: free_port(),
            server: None,
        };
        node.write("environment", "");
        node.write(
            "rabbitmq.conf",
            &format!(
                "consumer_timeout = {CONSUMER_TIMEOUT}000\n\
                 listeners.ssl.default = 127.0.0.1:{}\n\
                 ssl_options.cacertfile = {folder}/ca.pem\n\
                 ssl_options.certfile = {folder}/server.pem\n\
                 ssl_options.keyfile = {folder}/server.key\n",
                node.tls_port,
                folder = node.folder.path().display(),
            ),
        );
        node.make_certificates();
        // How often the node looks at the time-out.
        node.write(
            "advanced.config",
            "[{rabbit, [{channel_tick_interval, 500}]}].\n",
        );
        node.start_again();
        node
    }

    /// The transport URL.
    pub fn url(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.port)
    }

    /// The same with TLS, by a certificate authority that nobody else trusts.
    pub fn tls_url(&self) -> String {
        format!("amqps://localhost:{}", self.tls_port)
    }

    /// The certificate of that authority.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn make_certificates(&self) {
        self.write("names", "subjectAltName=DNS:localhost");
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        self.openssl(&format!(
            "req -x509 {key} -subj /CN=ca -keyout ca.key -out ca.pem -days 2"
        ));
        self.openssl(&format!(
            "req {key} -subj /CN=localhost -keyout server.key -out server.csr"
        ));
        self.openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out server.pem -days 2",
        );
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .output()
            .expect("these tests need openssl");
        assert!(output.status.success(), "{output:?}");
    }

    /// As when the power fails.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            // The script, the virtual machine and its helpers are one group.
            let group = format!("-{}", server.id());
            Command::new("kill")
                .args(["-9", "--", &group])
                .status()
                .unwrap();
            server.wait().unwrap();
        }
    }

    /// Takes away the process behind a quorum queue; the broker goes on believing that it is there.
    pub fn lose_process(&self, queue: &str) {
        let lose = format!(
            "[ra:force_delete_server(quorum_queues, amqqueue:get_pid(Q)) || Q <- rabbit_amqqueue:list(), \
             element(4, amqqueue:get_name(Q)) =:= <<\"{queue}\">>]."
        );
        let output = Command::new(script("rabbitmqctl"))
            .args(["--quiet", "--node", &self.name(), "eval", &lose])
            .env("HOME", self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said.trim(), "[ok]", "{output:?}");
    }

    fn name(&self) -> String {
        format!("faafo-test-{}@localhost", self.port)
    }

    /// Takes away all its data.
    pub fn wipe(&self) {
        fs::remove_dir_all(self.folder.path().join("data")).unwrap();
    }

    pub fn start_again(&mut self) {
        let path = |name: &str| self.folder.path().join(name);
        let output = fs::File::create(path("output")).unwrap();
        let mut command = Command::new(script("rabbitmq-server"));
        command
            .env("HOME", self.folder.path())
            .env("RABBITMQ_CONF_ENV_FILE", path("environment"))
            .env("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", path("advanced.config"))
            .env("RABBITMQ_GENERATED_CONFIG_DIR", path("generated"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", path("plugins"))
            .env("RABBITMQ_MNESIA_BASE", path("data"))
            .env("RABBITMQ_LOG_BASE", path("log"))
            .env("RABBITMQ_NODENAME", self.name())
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1")
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output)
            .process_group(0);
        self.server = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while !self.answers() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "RabbitMQ does not start: {}",
                fs::read_to_string(path("output")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn answers(&self) -> bool {
        let greet = || -> std::io::Result<()> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"AMQP\x00\x00\x09\x01")?;
            stream.read_exact(&mut [0])
        };
        greet().is_ok()
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Not those on the path, which insist on the system's own user and folders.
fn script(name: &str) -> PathBuf {
    if let Some(server) = std::env::var_os("FAAFO_TEST_RABBITMQ_SERVER") {
        return PathBuf::from(server).with_file_name(name);
    }
    let installed = fs::read_dir("/usr/lib/rabbitmq/lib").into_iter().flatten();
    installed
        .flatten()
        .map(|version| version.path().join("sbin").join(name))
        .find(|script| script.exists())
        .expect("these tests need an installed RabbitMQ, or its sbin/rabbitmq-server in FAAFO_TEST_RABBITMQ_SERVER")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
