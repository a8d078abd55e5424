//! A database of a test's own on a real server. It goes with its value.

use std::process::Command;

pub struct Database {
    pub url: String,
    drop: Command,
}

impl Database {
    pub fn postgres(name: &str) -> Self {
        let server = variable(
            "FAAFO_TEST_POSTGRES",
            "postgres://postgres@127.0.0.1:5432/test",
        );
        let tell = |statement: &str| {
            let mut command = Command::new("psql");
            command.args(["-qw", "-d", &server, "-c", statement]);
            command
        };
        let name = name.replace('-', "_");
        run(&mut tell(&format!("CREATE DATABASE {name}")));
        Self {
            url: named(&server, &name),
            drop: tell(&format!("DROP DATABASE {name} WITH (FORCE)")),
        }
    }

    pub fn mariadb(name: &str) -> Self {
        let server = variable("FAAFO_TEST_MYSQL", "mysql://root@127.0.0.1:3306/test");
        let (user, host, port) = parts(&server);
        let tell = |statement: &str| {
            let mut command = Command::new("mariadb");
            command.args(["-h", host, "-P", port, "-u", user, "-e", statement]);
            command
        };
        let name = name.replace('-', "_");
        run(&mut tell(&format!("CREATE DATABASE {name}")));
        Self {
            url: named(&server, &name),
            drop: tell(&format!("DROP DATABASE {name}")),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        run(&mut self.drop);
    }
}

fn variable(name: &str, otherwise: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| otherwise.to_owned())
}

/// The URL of the database of that name on the same server.
fn named(server: &str, name: &str) -> String {
    format!("{}/{name}", server.rsplit_once('/').unwrap().0)
}

/// User, host and port in `scheme://user@host:port/name`.
fn parts(url: &str) -> (&str, &str, &str) {
    let (user, rest) = url.split_once("://").unwrap().1.split_once('@').unwrap();
    let (host, port) = rest.split_once('/').unwrap().0.split_once(':').unwrap();
    (user, host, port)
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
}
