//! Where settings come from: the environment, and the first file that exists.

use anyhow::Context;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Environment variables by name.
pub type Environment = BTreeMap<String, String>;

/// The process's environment.
pub fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            Some((name, value.to_string_lossy().into_owned()))
        })
        .collect()
}

/// The settings file's path and text: the one that is named, or the first that exists of those in the usual places.
///
/// # Errors
/// The named file does not exist, or a file that exists can't be read.
pub fn file(
    named: Option<&Path>,
    environment: &Environment,
) -> anyhow::Result<Option<(PathBuf, String)>> {
    let places = match named {
        Some(path) => vec![path.to_owned()],
        None => usual_places(environment),
    };
    for path in places {
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(error)
                if named.is_none()
                    && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("can't read the settings in {}", path.display()));
            }
        }
    }
    Ok(None)
}

fn usual_places(environment: &Environment) -> Vec<PathBuf> {
    let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let home = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(home).join(".config")));
    let mut places = vec![PathBuf::from("./faafo.toml")];
    places.extend(home.map(|folder| folder.join("faafo/faafo.toml")));
    places.push(PathBuf::from("/etc/faafo/faafo.toml"));
    places
}
