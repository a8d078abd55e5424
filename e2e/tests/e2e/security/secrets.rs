//! What nobody is to see.

use super::{cli_with, guarded_in, token_of};
use faafo_e2e::{Home, Service, printed};
use std::fs::{read_dir, read_to_string};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The arguments of a process, as everybody on the machine may read them.
fn command_line(process: u32) -> String {
    read_to_string(format!("/proc/{process}/cmdline")).unwrap()
}

#[test]
fn tokens_and_passwords_appear_in_no_log_no_process_list_and_no_settings() {
    let home = Home::new();
    home.settings(
        "token = 'faafo_s3cret-file'\nendpoint_url = 'http://faafo_s3cret-url@127.0.0.1:1'",
    );
    let up = home.up(&["--debug", "--slots", "0", "--listen", "0.0.0.0:0"]);
    let mut command = home.command(&up);
    command.env(
        "FAAFO_STORAGE_URL",
        format!("file:{}", home.path().join("b").display()),
    );
    let mut service = Service::launch(&home, command);
    let admin = service.first_token();
    let writer = token_of(&service, &admin, "write");
    printed(&cli_with(
        &service,
        &writer,
        &["--debug", "create", "--tasks", "2"],
    ));
    let noisy = cli_with(&service, &writer, &["--debug", "list"]);
    let said = String::from_utf8_lossy(&noisy.stderr).into_owned();
    for secret in [&admin, &writer, "s3cret"] {
        assert!(!service.log().contains(secret), "{}", service.log());
        assert!(!said.contains(secret), "{said}");
        assert!(!command_line(service.process()).contains(secret));
    }
    let mut show = home.command(&["config", "show"]);
    show.env("FAAFO_DATABASE_URL", "postgres://u:s3cret@db/faafo")
        .env("FAAFO_TRANSPORT_URL", "amqp://u:s3cret@mq")
        .env("FAAFO_STORAGE_URL", "s3://k:s3cret@b?endpoint=http://s");
    let shown = printed(&show.output().unwrap());
    assert!(
        shown.contains("token = \"***\"") && !shown.contains("s3cret"),
        "{shown}"
    );
}

#[test]
fn a_password_in_a_flag_is_noticed_in_the_log_without_being_repeated() {
    let flag = "postgres://u:s3cret@127.0.0.1:1/faafo";
    let output = Home::new().run(&[
        "tracker",
        "--database-url",
        flag,
        "-m",
        "memory:x",
        "--nonsense",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let home = Home::new();
    let output = home.run(&["worker", "-m", "nonsense://u:s3cret@127.0.0.1:1"]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(
        log.contains("FAAFO_TRANSPORT_URL") && !log.contains("s3cret"),
        "{log}"
    );
}

/// Defect 21: passwords that everybody knew, ports open to the world, the database in /tmp.
#[test]
fn as_it_comes_nobody_else_gets_at_anything() {
    let homes = [Home::new(), Home::new()];
    let service = homes[0].start(&[]);
    service.create_done(&faafo_e2e::recipe::small());
    assert!(service.address().ip().is_loopback());
    if let Some(outside) = own_address() {
        let there = SocketAddr::new(outside.ip(), service.address().port());
        assert!(TcpStream::connect(there).is_err(), "{there}");
    }
    let folder = homes[0].data();
    assert_eq!(mode(folder), 0o700);
    let mut files = 0;
    visit(folder, &mut |path| {
        assert_eq!(mode(path) & 0o077, 0, "{}", path.display());
        files += 1;
    });
    assert!(files > 5);
    let opened = read_dir(format!("/proc/{}/fd", service.process())).unwrap();
    let opened = opened.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    for path in opened.filter(|path| path.starts_with("/") && path.is_file()) {
        assert!(path.starts_with(homes[0].path()), "{}", path.display());
    }
    let settings = printed(&homes[0].run(&["config", "show"]));
    for known in ["guest", "password"] {
        assert!(!settings.contains(known), "{settings}");
    }
    // Secrets are made anew for each installation.
    drop(service);
    let tokens: Vec<String> = homes.iter().map(|home| guarded_in(home, &[]).1).collect();
    assert_ne!(tokens[0], tokens[1]);
    let stored = std::fs::read(homes[0].data().join("faafo.db")).unwrap();
    let holds = |needle: &str| {
        stored
            .windows(needle.len())
            .any(|part| part == needle.as_bytes())
    };
    assert!(!holds(&tokens[0]), "only its SHA-256 is stored");
}

/// An address of this machine that other machines may reach, if it has any. Nothing is sent.
fn own_address() -> Option<SocketAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?;
    (!address.ip().is_loopback() && !address.ip().is_unspecified()).then_some(address)
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn visit(folder: &Path, look: &mut impl FnMut(&Path)) {
    for entry in read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        look(&path);
        if path.is_dir() {
            visit(&path, look);
        }
    }
}
