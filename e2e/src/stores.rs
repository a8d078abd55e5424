//! The S3 server and the OpenStack Swift of all tests: those that the environment names (`FAAFO_TEST_S3` and
//! `FAAFO_TEST_SWIFT`, with the lines that the scripts in `tools/` print), else started once and gone with this process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// As many lines as `swift.sh` prints once it is ready.
const LINES_OF_SWIFT: usize = 3;

/// The storage URL of a bucket of one's own on s3s-fs.
#[track_caller]
pub fn s3() -> String {
    static LINES: OnceLock<String> = OnceLock::new();
    let lines = LINES.get_or_init(|| started("FAAFO_TEST_S3", "s3.sh", 1));
    let server = line(lines, "s3 ");
    format!("s3://access:secret@{}?endpoint={server}", fresh_name())
}

/// The storage URL of a container of one's own on OpenStack Swift.
#[track_caller]
pub fn swift() -> String {
    static LINES: OnceLock<String> = OnceLock::new();
    let lines = LINES.get_or_init(|| started("FAAFO_TEST_SWIFT", "swift.sh", LINES_OF_SWIFT));
    let server = line(lines, "swift ");
    format!(
        "swift://test%3Atester:testing@{}?auth={server}",
        fresh_name()
    )
}

fn line<'a>(lines: &'a str, name: &str) -> &'a str {
    let found = lines.lines().find_map(|line| line.strip_prefix(name));
    found
        .unwrap_or_else(|| panic!("no {name:?} in {lines:?}"))
        .trim()
}

fn fresh_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("e2e-{}-{}", std::process::id(), now.as_nanos())
}

fn started(variable: &str, script: &str, lines: usize) -> String {
    if let Ok(running) = std::env::var(variable) {
        return running;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/").to_owned() + script;
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
