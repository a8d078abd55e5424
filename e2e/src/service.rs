//! The service under test.

use crate::http::{Answer, Connection, Request};
use crate::{Home, PATIENCE, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::{OpenOptions, read_to_string};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Instant;

/// A running `faafo up`. When it is dropped it is killed, and its log must hold no error.
pub struct Service {
    home: Home,
    child: Child,
    address: SocketAddr,
    /// Kept open: nobody closes a service's stdout.
    stdout: BufReader<ChildStdout>,
}

impl Service {
    /// Starts one with these flags in a new home.
    #[track_caller]
    pub fn start(flags: &[&str]) -> Self {
        Self::start_in(&Home::new(), flags)
    }

    /// Starts one in this home; returns once it has said where it is.
    #[track_caller]
    pub fn start_in(home: &Home, flags: &[&str]) -> Self {
        Self::launch(home, home.command(&home.up(flags)))
    }

    /// Runs a command that serves, and waits until it says where.
    #[track_caller]
    pub fn launch(home: &Home, mut command: Command) -> Self {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(home.log());
        command.stdout(Stdio::piped()).stderr(log.unwrap());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = stdout.read_line(&mut line);
            // Nobody listens any more after a failure.
            let _ = sender.send((read.map(|_| line), stdout));
        });
        let (line, stdout) = match receiver.recv_timeout(PATIENCE) {
            Ok((line, stdout)) => (line.unwrap(), stdout),
            Err(_) => {
                child.kill().unwrap();
                panic!("the service says nothing:\n{}", log_of(home));
            }
        };
        let address = line.trim_end().strip_prefix("faafo is at http://");
        let Some(address) = address else {
            child.wait().unwrap();
            panic!("the service does not start: {line}\n{}", log_of(home));
        };
        // It may listen everywhere, and then says so.
        let address = address.replace("localhost", "127.0.0.1");
        Self {
            address: address.parse().unwrap(),
            home: home.clone(),
            child,
            stdout,
        }
    }

    /// The first token, which a guarded service prints at its first start.
    #[track_caller]
    pub fn first_token(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let token = line.trim_end().rsplit(' ').next().unwrap_or_default();
        assert!(token.starts_with("faafo_"), "no token: {line}");
        token.to_owned()
    }

    /// Stops it without warning, and returns what it has printed since.
    #[track_caller]
    pub fn rest_of_stdout(mut self) -> String {
        self.child.kill().unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        rest
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Where it lives.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        log_of(&self.home)
    }

    /// A new connection.
    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Sends a request on a connection of its own.
    #[track_caller]
    pub fn send(&self, request: &Request) -> Answer {
        self.connect().send(request)
    }

    /// What is at this path.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send(&Request::get(path))
    }

    /// The JSON at this path.
    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Runs the command line against it.
    #[track_caller]
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let url = self.url();
        let all = [&["--endpoint-url", &url], arguments].concat();
        self.home.run(&all)
    }

    /// As when the power fails.
    pub fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to stop, without waiting.
    pub fn ask_to_stop(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Waits for its end; returns the exit code and how long it took in seconds.
    #[track_caller]
    pub fn wait(mut self) -> (Option<i32>, f64) {
        let begun = Instant::now();
        let status = wait_for("the service ends", || self.child.try_wait().unwrap());
        (status.code(), begun.elapsed().as_secs_f64())
    }

    /// Tells it to stop and waits for a good end.
    #[track_caller]
    pub fn terminate(self) {
        self.ask_to_stop();
        assert_eq!(self.wait().0, Some(0));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = self.log();
        if std::thread::panicking() {
            eprintln!("the service's log:\n{log}");
            return;
        }
        let signs = [" ERROR ", "\"level\":\"ERROR\"", " panicked at "];
        let bad = |line: &&str| signs.iter().any(|sign| line.contains(sign));
        let bad: Vec<_> = log.lines().filter(bad).collect();
        assert!(bad.is_empty(), "in the service's log: {bad:#?}");
    }
}

fn log_of(home: &Home) -> String {
    read_to_string(home.log()).unwrap_or_default()
}
