//! A load balancer.

use super::{free_address, kill, run};
use std::fmt::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};

/// HAProxy before API servers: those that are not ready get no requests. A request is sent once and never again.
pub struct Balancer {
    folder: tempfile::TempDir,
    address: SocketAddr,
    server: Option<Child>,
}

impl Balancer {
    /// Starts one before these servers; returns once it listens.
    #[track_caller]
    pub fn start(servers: &[SocketAddr]) -> Self {
        let mut balancer = Self {
            folder: tempfile::tempdir().unwrap(),
            address: free_address(),
            server: None,
        };
        let mut text = format!(
            "global\n  maxconn 500\n\
             defaults\n  mode http\n  timeout connect 2s\n  timeout client 60s\n  timeout server 60s\n  \
             timeout check 2s\n  retries 2\n  option redispatch\n  retry-on conn-failure\n\
             frontend all\n  bind {}\n  default_backend apis\n\
             backend apis\n  balance roundrobin\n  option httpchk GET /readyz\n  \
             default-server check inter 300ms fall 2 rise 1\n",
            balancer.address
        );
        for (number, server) in servers.iter().enumerate() {
            writeln!(text, "  server api{number} {server}").unwrap();
        }
        std::fs::write(balancer.folder.path().join("haproxy.cfg"), text).unwrap();
        balancer.start_again();
        balancer
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it and starts it again.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.kill();
        let mut command = Command::new("haproxy");
        let folder = self.folder.path();
        command.arg("-db").arg("-f").arg(folder.join("haproxy.cfg"));
        let listens = || TcpStream::connect(self.address).is_ok();
        self.server = Some(run(&mut command, &folder.join("output"), listens));
    }

    fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            kill(server);
        }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.kill();
    }
}
