//! A folder of its own for each test, and the executable run in it.

use crate::{PATIENCE, Service};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{read, read_dir};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, mpsc};
use tempfile::TempDir;

/// A user's home, empty at first: the executable finds no settings but those a test gives. Clones are the same one.
#[derive(Clone)]
pub struct Home {
    folder: Arc<TempDir>,
    data: PathBuf,
    welcome: bool,
}

impl Default for Home {
    fn default() -> Self {
        Self::with_data("data")
    }
}

impl Home {
    /// A new one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new one whose data folder has this name.
    pub fn with_data(name: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let data = folder.path().join(name);
        Self {
            folder,
            data,
            welcome: false,
        }
    }

    /// A new one in which the service greets its first user with pictures, which is in the way of most tests.
    pub fn welcoming() -> Self {
        Self {
            welcome: true,
            ..Self::new()
        }
    }

    /// Where everything runs.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The service's data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Writes the settings file that everything run here reads.
    #[track_caller]
    pub fn settings(&self, text: &str) {
        std::fs::write(self.path().join("faafo.toml"), text).unwrap();
    }

    /// Where the service's stderr goes.
    pub fn log(&self) -> PathBuf {
        self.path().join("service.log")
    }

    /// The executable with these arguments, not yet running; nothing of the tester's own settings reaches it.
    pub fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(executable());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FAAFO_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .env("HOME", self.path())
            .env_remove("XDG_CONFIG_HOME")
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the executable to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        match receiver.recv_timeout(PATIENCE) {
            Ok(output) => output.unwrap(),
            Err(_) => {
                kill_process(pid, Signal::KILL).unwrap();
                panic!("{command:?} does not end");
            }
        }
    }

    /// The arguments of `faafo up` on this home's data folder and, unless the flags say where, a free port.
    pub fn up(&self, flags: &[&str]) -> Vec<String> {
        let data = self.data.to_str().unwrap();
        let mut all = vec!["up", "--data", data];
        if !flags.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        if !self.welcome {
            all.push("--no-welcome");
        }
        all.extend(flags);
        all.into_iter().map(str::to_owned).collect()
    }

    /// Starts the service here.
    #[track_caller]
    pub fn start(&self, flags: &[&str]) -> Service {
        Service::start_in(self, flags)
    }

    /// The names of the blobs that are stored: SHA-256 in hexadecimal.
    pub fn blobs(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for folder in entries(&self.data.join("blobs")) {
            let start = folder.file_name().unwrap().to_string_lossy().into_owned();
            if start == "packs" {
                names.extend(packed(&entries(&folder)));
            } else if start != "tmp" {
                let files = entries(&folder);
                names.extend(
                    files.iter().map(|file| {
                        format!("{start}{}", file.file_name().unwrap().to_string_lossy())
                    }),
                );
            }
        }
        names
    }

    /// Files of pictures that are just being written.
    pub fn unfinished_files(&self) -> Vec<PathBuf> {
        entries(&self.data.join("blobs/tmp"))
    }
}

/// The names of the blobs in packs: a record has a head of 52 bytes, and deletions name records by pack and offset.
fn packed(packs: &[PathBuf]) -> BTreeSet<String> {
    let (mut there, mut deleted) = (Vec::new(), BTreeSet::new());
    for pack in packs {
        let id = pack.file_stem().unwrap().to_string_lossy();
        let id = u64::from_str_radix(&id, 16).unwrap();
        // A pack may have just been renamed.
        let bytes = read(pack).or_else(|_| read(pack.with_extension("pack")));
        let (bytes, mut at) = (bytes.unwrap_or_default(), 0);
        while let Some(head) = bytes.get(at..at + 52) {
            let number = u32::from_le_bytes(head[4..8].try_into().unwrap());
            let name: String = head[16..48]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let length = match &head[..4] {
                b"fB1\n" => {
                    there.push((id, at as u32, name));
                    number as usize
                }
                b"fD1\n" => {
                    let pack = u64::from_le_bytes(head[8..16].try_into().unwrap());
                    deleted.insert((pack, number));
                    0
                }
                _ => break,
            };
            at += 52 + length;
        }
    }
    let exists = there
        .into_iter()
        .filter(|(id, at, _)| !deleted.contains(&(*id, *at)));
    exists.map(|(.., name)| name).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    match read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        // Not yet made, or just gone.
        Err(_) => Vec::new(),
    }
}

/// The executable under test: `FAAFO_E2E_BIN`, or the one that the same build profile makes.
fn executable() -> PathBuf {
    let path = match std::env::var_os("FAAFO_E2E_BIN") {
        Some(path) => PathBuf::from(path),
        None => {
            // target/<profile>/deps/<test>
            let test = std::env::current_exe().unwrap();
            let profile = test.parent().and_then(Path::parent).unwrap();
            profile.join("faafo")
        }
    };
    assert!(
        path.is_file(),
        "there is no {}: build it with `cargo build -p faafo`, or name another one in FAAFO_E2E_BIN",
        path.display()
    );
    path
}

/// What a process printed on stdout, after a good end.
#[track_caller]
pub fn printed(output: &Output) -> String {
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{:?}: {complaints}",
        output.status.code()
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The last line on stderr of a process that failed, which says why; what comes before are log lines.
#[track_caller]
pub fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    let line = text.lines().last().unwrap_or_default().to_owned();
    assert!(line.starts_with("faafo: "), "{text}");
    line
}
