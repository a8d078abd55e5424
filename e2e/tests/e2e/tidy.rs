//! The walls between the crates, and the size of the files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};
use toml::Table;

/// Which crates of the project a crate may use.
const ARROWS: [(&str, &[&str]); 14] = [
    ("formula", &[]),
    ("model", &["formula"]),
    ("telemetry", &[]),
    ("http", &[]),
    ("picture", &[]),
    ("kernel", &["formula", "model", "picture"]),
    ("store", &["model", "telemetry"]),
    ("queue", &["model"]),
    // The store only for the back end that keeps blobs in the database.
    ("blob", &["http", "model", "store", "telemetry"]),
    ("worker", &["kernel", "queue", "blob", "model", "telemetry"]),
    ("tracker", &["store", "queue", "blob", "model", "telemetry"]),
    (
        "server",
        &["store", "queue", "blob", "picture", "model", "telemetry"],
    ),
    (
        "app",
        &[
            "formula",
            "http",
            "model",
            "telemetry",
            "picture",
            "kernel",
            "store",
            "queue",
            "blob",
            "worker",
            "tracker",
            "server",
        ],
    ),
    ("e2e", &[]),
];

/// Beyond this a file has two subjects.
const MOST_LINES: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folders of all crates by name.
fn crates() -> BTreeMap<String, PathBuf> {
    let folders = read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    folders
        .chain([root().join("e2e")])
        .map(|folder| {
            (
                folder.file_name().unwrap().to_str().unwrap().to_owned(),
                folder,
            )
        })
        .collect()
}

fn manifest(folder: &Path) -> Table {
    read_to_string(folder.join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap()
}

/// Every table of dependencies in a manifest: normal, for tests, for build scripts, and each of these by platform.
fn dependencies(manifest: &Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, value) in manifest {
        let Some(table) = value.as_table() else {
            continue;
        };
        if key.ends_with("dependencies") {
            for (name, dependency) in table {
                let package = dependency
                    .get("package")
                    .and_then(|package| package.as_str());
                found.insert(package.unwrap_or(name).to_owned());
            }
        } else if key == "target" {
            let platforms = table.values().filter_map(|platform| platform.as_table());
            found.extend(platforms.flat_map(dependencies));
        }
    }
    found
}

#[test]
fn crates_use_only_the_crates_below_them() {
    let crates = crates();
    let allowed = BTreeMap::from(ARROWS);
    let known: BTreeSet<&str> = allowed.keys().copied().collect();
    assert_eq!(
        crates.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        known,
        "a crate without its arrows"
    );
    for (name, folder) in &crates {
        for dependency in dependencies(&manifest(folder)) {
            let Some(used) = dependency.strip_prefix("faafo-") else {
                continue;
            };
            assert!(
                allowed[name.as_str()].contains(&used),
                "{name} must not use {used}"
            );
        }
    }
}

#[test]
fn only_one_file_of_the_blob_crate_uses_the_store() {
    let mut users = Vec::new();
    let mut folders = vec![root().join("crates/blob/src")];
    while let Some(folder) = folders.pop() {
        for entry in read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if read_to_string(&path).unwrap().contains("faafo_store") {
                users.push(path.file_name().unwrap().to_owned());
            }
        }
    }
    users.sort();
    // The one that opens back ends hands it through.
    assert_eq!(users, ["database.rs", "lib.rs"]);
}

#[test]
fn every_crate_keeps_the_workspace_s_lints() {
    for (name, folder) in crates() {
        let manifest = manifest(&folder);
        let lints = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        assert_eq!(
            lints.and_then(|lints| lints.as_bool()),
            Some(true),
            "{name}"
        );
    }
}

#[test]
fn no_source_file_has_two_subjects() {
    let mut folders: Vec<PathBuf> = crates().into_values().collect();
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let lines = read_to_string(&path).unwrap().lines().count();
                assert!(lines <= MOST_LINES, "{}: {lines} lines", path.display());
                files += 1;
            }
        }
    }
    assert!(files > 100);
}
