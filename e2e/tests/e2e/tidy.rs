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

/// The crates whose modules import each other in no circle.
const WITHOUT_CIRCLES: [&str; 2] = ["app", "server"];

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

/// All source files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
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
    let mut users = sources(&root().join("crates/blob/src"));
    users.retain(|path| read_to_string(path).unwrap().contains("faafo_store"));
    let mut users: Vec<_> = users.iter().map(|path| path.file_name().unwrap()).collect();
    users.sort();
    // The one that opens back ends hands it through.
    assert_eq!(users, ["database.rs", "lib.rs"]);
}

/// The names that follow `crate::` in a source: one, or each of those in braces.
fn imports(source: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        let is_part = |char: &char| char.is_alphanumeric() || *char == '_';
        text.trim_start().chars().take_while(is_part).collect()
    };
    let mut found = BTreeSet::new();
    for after in source.split("crate::").skip(1) {
        let Some(group) = after.strip_prefix('{') else {
            found.insert(name(after));
            continue;
        };
        let mut depth = 0;
        let is_end = |char: char| {
            depth += i32::from(char == '{') - i32::from(char == '}');
            depth < 0 || (depth == 0 && char == ',')
        };
        let mut parts = group.split_inclusive(is_end);
        for part in parts.by_ref() {
            found.insert(name(part));
            if !part.ends_with(',') {
                break;
            }
        }
    }
    found
}

#[test]
fn modules_import_each_other_in_no_circle() {
    for crate_name in WITHOUT_CIRCLES {
        let folder = root().join("crates").join(crate_name).join("src");
        let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for path in sources(&folder) {
            // A module is a file, or a file and a folder. The crate's root may use all of them.
            let top = path.strip_prefix(&folder).unwrap().iter().next().unwrap();
            let module = Path::new(top).file_stem().unwrap().to_str().unwrap();
            if !matches!(module, "lib" | "main") {
                let found = imports(&read_to_string(&path).unwrap());
                uses.entry(module.to_owned()).or_default().extend(found);
            }
        }
        for (module, used) in &mut uses {
            used.remove(module);
        }
        // What uses no other module that is left can't be part of a circle.
        loop {
            let left: BTreeSet<String> = uses.keys().cloned().collect();
            uses.retain(|_, used| !used.is_disjoint(&left));
            if uses.len() == left.len() {
                break;
            }
        }
        assert!(uses.is_empty(), "{crate_name}: a circle is in {uses:?}");
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let source = "use crate::one::Thing;\nuse crate::{self_made, two, three::{a, b},\n    four};\ncrate::five::call();\n";
    let expected = ["five", "four", "one", "self_made", "three", "two"];
    assert!(imports(source).iter().eq(&expected));
    assert!(imports("mod a { pub(crate) fn b() {} }").is_empty());
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
    let files: Vec<PathBuf> = crates()
        .values()
        .flat_map(|folder| sources(folder))
        .collect();
    for path in &files {
        let lines = read_to_string(path).unwrap().lines().count();
        assert!(lines <= MOST_LINES, "{}: {lines} lines", path.display());
    }
    assert!(files.len() > 100);
}
