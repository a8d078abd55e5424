//! The real servers: those that the environment names (`FAAFO_TEST_SWIFT` and `FAAFO_TEST_S3`, with the lines that the
//! scripts in `tools/` print), else started once and gone with this process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// As many lines as `swift.sh` prints once it is ready.
const LINES_OF_SWIFT: usize = 3;

/// OpenStack Swift, with its s3api and memcached.
pub fn swift() -> &'static str {
    static LINES: OnceLock<String> = OnceLock::new();
    LINES.get_or_init(|| started("FAAFO_TEST_SWIFT", "swift.sh", LINES_OF_SWIFT))
}

/// s3s-fs.
pub fn s3s() -> &'static str {
    static LINES: OnceLock<String> = OnceLock::new();
    LINES.get_or_init(|| started("FAAFO_TEST_S3", "s3.sh", 1))
}

/// Lines such as `s3 http://127.0.0.1:1234/path`.
pub trait Line {
    fn address(&self, name: &str) -> SocketAddr;
}

impl Line for str {
    fn address(&self, name: &str) -> SocketAddr {
        let line = self.lines().find_map(|line| line.strip_prefix(name));
        let url = line.unwrap_or_else(|| panic!("no {name:?} in {self:?}"));
        let url = url.trim().trim_start_matches("http://");
        url.split('/').next().unwrap().parse().unwrap()
    }
}

fn started(variable: &str, script: &str, lines: usize) -> String {
    if let Ok(running) = std::env::var(variable) {
        return running;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/").to_owned() + script;
    let mut child = Command::new(&path)
        .arg("run")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    let output = BufReader::new(child.stdout.take().unwrap());
    let text: Vec<String> = output.lines().take(lines).map(Result::unwrap).collect();
    assert_eq!(text.len(), lines, "{path} run failed: {text:?}");
    // It serves until its standard input ends, which it does when this process does.
    std::mem::forget(child);
    text.join("\n")
}
