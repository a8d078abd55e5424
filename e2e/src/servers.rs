//! Servers of a test's own, to be killed, wiped and cut off. Each has its data in a temporary folder and ends with the
//! test. A server that comes back may listen elsewhere: a [`Proxy`](crate::proxy::Proxy) before it keeps its address.

mod balancer;
mod broker;
mod database;
mod objects;

pub use balancer::Balancer;
pub use broker::Broker;
pub use database::Database;
pub use objects::Objects;

use crate::wait_until;
use std::fs::{File, read_to_string};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// An address that nobody listens on.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Runs a server in the background, as the leader of a process group, until `answers`.
#[track_caller]
fn run(command: &mut Command, output: &Path, answers: impl Fn() -> bool) -> Child {
    let file = File::create(output).unwrap();
    command
        .stdin(Stdio::null())
        .stderr(file.try_clone().unwrap())
        .stdout(file)
        .process_group(0);
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let what = format!("{:?} answers", command.get_program());
    wait_until(&what, || {
        let ended = child.try_wait().unwrap();
        let said = || read_to_string(output).unwrap_or_default();
        assert!(ended.is_none(), "{command:?} ended: {}", said());
        answers()
    });
    child
}

/// Kills a server and all that belongs to its group.
fn kill(mut server: Child) {
    // It may have ended.
    let group = format!("-{}", server.id());
    let _ = Command::new("kill").args(["-9", "--", &group]).status();
    let _ = server.wait();
}

/// Runs a program that must succeed.
#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
