//! A database of an older executable, with all that it said about it.

use faafo_e2e::cluster::{Cluster, Engine};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{create_dir_all, read_to_string};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One of the databases below e2e/fixtures/5317508.
pub(super) struct Fixture {
    name: &'static str,
    /// All fractals as the old executable showed them, in the order of their ids.
    pub(super) rows: Vec<Value>,
    /// The SHA-256 of each recipe's file.
    pub(super) checksums: BTreeMap<String, String>,
    /// Tokens and sessions by name, and how the old executable listed them.
    pub(super) tokens: Value,
}

impl Fixture {
    pub(super) fn read(name: &'static str) -> Self {
        let lines = output(unzip(&format!("{name}.jsonl.gz")));
        let lines = String::from_utf8(lines).unwrap();
        let rows: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(rows.len(), 10_000);
        let tokens: Value =
            serde_json::from_str(&read_to_string(folder().join("tokens.json")).unwrap()).unwrap();
        Self {
            name,
            checksums: rows
                .iter()
                // Others were sent a picture that has nothing to do with their recipe.
                .filter(|row| row["state"] == "done" && row["generated_by"] != "the original")
                .map(|row| (recipe_of(row), text(row, "checksum")))
                .collect(),
            rows,
            tokens: tokens[name].clone(),
        }
    }

    /// The ids of all posters.
    pub(super) fn posters(&self) -> impl Iterator<Item = &str> {
        let area = |row: &Value| row["width"].as_u64().unwrap() * row["height"].as_u64().unwrap();
        let posters = self.rows.iter().filter(move |row| area(row) > 42_000);
        posters.map(|row| row["uuid"].as_str().unwrap())
    }

    /// Puts the stored pictures into the folder `blobs` below this one.
    pub(super) fn unpack(&self, data: &Path) {
        let blobs = data.join("blobs");
        create_dir_all(&blobs).unwrap();
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(folder().join("blobs.tar.gz"));
        tar.arg("-C").arg(blobs).arg("--strip-components=1");
        assert!(tar.args(["all", self.name]).status().unwrap().success());
    }

    /// Loads the rows into a new SQLite file.
    pub(super) fn load_file(&self, file: &Path) {
        let script = "import sqlite3, sys\n\
            sqlite3.connect(sys.argv[1]).executescript(sys.stdin.buffer.read().decode())";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(file);
        self.pipe_into(python);
    }

    /// Loads the rows into the cluster's empty database.
    pub(super) fn load(&self, engine: Engine, cluster: &Cluster) {
        let url = cluster.database_url();
        let mut client = match engine {
            Engine::Postgres => {
                let mut client = Command::new("psql");
                client.args(["-qwX", "-v", "ON_ERROR_STOP=1", url]);
                client
            }
            Engine::MariaDb => {
                let mut client = Command::new("mariadb");
                client.args([
                    "-h",
                    "127.0.0.1",
                    "-u",
                    "root",
                    url.rsplit('/').next().unwrap(),
                ]);
                client
            }
        };
        client.stdout(Stdio::null());
        self.pipe_into(client);
    }

    fn pipe_into(&self, mut client: Command) {
        let mut dump = unzip(&format!("{}.sql.gz", self.name));
        let mut dump = dump.stdout(Stdio::piped()).spawn().unwrap();
        client.stdin(dump.stdout.take().unwrap());
        assert!(client.status().unwrap().success(), "{client:?}");
        assert!(dump.wait().unwrap().success());
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/5317508")
}

fn unzip(name: &str) -> Command {
    let mut gzip = Command::new("gzip");
    gzip.arg("-dc").arg(folder().join(name));
    gzip
}

fn output(mut command: Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    output.stdout
}

/// Whether nothing more happens to it by itself.
pub(super) fn is_final(row: &Value) -> bool {
    row["state"] != "queued" && row["state"] != "rendering"
}

/// A text field.
#[track_caller]
pub(super) fn text(row: &Value, field: &str) -> String {
    row[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field}: {row}"))
        .to_owned()
}

/// The fields that determine its picture, as the old executable knew them.
const RECIPE: &[&str] = &[
    "kind",
    "cx",
    "cy",
    "power",
    "memory",
    "relaxation",
    "xa",
    "xb",
    "ya",
    "yb",
    "width",
    "height",
    "iterations",
    "palette",
    "colouring",
    "gradient",
    "density",
    "offset",
    "interior",
    "supersampling",
    "adaptive",
    "depth",
    "format",
];

/// All that determines its picture.
pub(super) fn recipe_of(row: &Value) -> String {
    let fields = RECIPE.iter().map(|field| &row[field]);
    fields.map(|value| format!("{value},")).collect()
}
