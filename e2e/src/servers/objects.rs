//! An S3 server.

use super::{free_address, kill, run, succeed};
use std::collections::BTreeSet;
use std::fs::{create_dir, read_dir, remove_file};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};

/// s3s-fs, which keeps objects as files.
pub struct Objects {
    program: PathBuf,
    folder: tempfile::TempDir,
    address: SocketAddr,
    server: Option<Child>,
}

/// The only bucket.
const BUCKET: &str = "pictures";

impl Objects {
    /// Starts one; returns once it answers.
    #[track_caller]
    pub fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/s3.sh");
        let mut objects = Self {
            program: succeed(Command::new(script).arg("install")).trim().into(),
            folder: tempfile::tempdir().unwrap(),
            address: free_address(),
            server: None,
        };
        create_dir(objects.data()).unwrap();
        objects.start_again();
        objects
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The storage URL, for those who reach it at `address`.
    pub fn url(&self, address: SocketAddr) -> String {
        format!("s3://access:secret@{BUCKET}?endpoint=http://{address}&region=us-east-1")
    }

    /// As when the power fails.
    pub fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            kill(server);
        }
    }

    /// Starts it again, with the data that is there.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.address = free_address();
        let (address, output) = (self.address, self.folder.path().join("output"));
        let mut command = Command::new(&self.program);
        command
            .args(["--host", "127.0.0.1", "--port"])
            .arg(address.port().to_string())
            .args(["--access-key", "access", "--secret-key", "secret"])
            .arg(self.data());
        let answers = || TcpStream::connect(address).is_ok();
        self.server = Some(run(&mut command, &output, answers));
    }

    /// The names of all objects in the bucket, without folders.
    pub fn names(&self) -> BTreeSet<String> {
        let Ok(entries) = read_dir(self.data().join(BUCKET)) else {
            return BTreeSet::new();
        };
        entries
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().unwrap().is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    }

    /// Takes away one object, as if somebody had deleted it.
    pub fn remove(&self, name: &str) {
        remove_file(self.data().join(BUCKET).join(name)).unwrap();
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        self.kill();
    }
}
