//! The executable as its users see it: what it sends, prints and returns.
#![expect(
    clippy::unwrap_used,
    reason = "test helpers fail by panicking, as tests do"
)]

mod create;
mod errors;
mod get;
mod list;
mod render;
mod server;
mod settings;
mod token;
mod watch;

use std::process::{Command, Output};
use tempfile::TempDir;

/// Some fractal's name.
pub const ID: &str = "00000000-0000-4000-8000-000000000001";

/// The executable, in an empty folder and with an empty environment.
pub struct Faafo {
    /// Where it runs, and its home.
    pub folder: TempDir,
}

impl Default for Faafo {
    fn default() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }
}

impl Faafo {
    /// In a new empty folder.
    pub fn new() -> Self {
        Self::default()
    }

    /// The executable with these arguments, not yet running.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faafo"));
        command
            .args(line.split_whitespace())
            .env_clear()
            .env("HOME", self.folder.path())
            .current_dir(self.folder.path());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }
}

/// What a process printed on stdout, after a good end without a word on stderr.
#[track_caller]
pub fn printed(output: Output) -> String {
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && complaints.is_empty(),
        "{complaints}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The one line on stderr of a process that failed.
#[track_caller]
pub fn complaint(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.starts_with("faafo: ") && text.lines().count() == 1,
        "{text}"
    );
    text
}

/// A row as the service sends it.
pub fn row(id: &str, state: &str, checksum: Option<&str>, size: Option<usize>) -> String {
    let checksum = checksum.map_or("null".to_owned(), |text| format!("\"{text}\""));
    let size = size.map_or("null".to_owned(), |size| size.to_string());
    let error = if state == "failed" {
        "\"too hard\""
    } else {
        "null"
    };
    format!(
        r#"{{"checksum":{checksum},"duration":null,"generated_by":null,"height":30,"iterations":20,"size":{size},"url":null,"uuid":"{id}","width":41,"xa":-1.5,"xb":1.5,"ya":-1.0,"yb":1.0,"kind":"julia","cx":0.1,"cy":0.2,"palette":"aurora","state":"{state}","progress":0.5,"priority":0,"attempt":1,"error":{error},"created_at":"2026-09-21T14:13:20.123Z","finished_at":null}}"#
    )
}
