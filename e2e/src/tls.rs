//! TLS before a service: a real proxy, with a certificate by an authority that nobody else trusts.

use crate::wait_until;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// An HAProxy that ends TLS and says so to the service behind it. Ends when it is dropped.
pub struct TlsProxy {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl TlsProxy {
    /// Starts one before the service at this address.
    #[track_caller]
    pub fn start(service: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        make_certificates(&folder);
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let place = folder.path().display();
        let settings = format!(
            "defaults\n mode http\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n\
             frontend outside\n bind 127.0.0.1:{port} ssl crt {place}/server.pem\n option forwardfor\n \
             http-request set-header X-Forwarded-Proto https\n default_backend inside\n\
             backend inside\n server one {service}\n"
        );
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, settings).unwrap();
        let process = Command::new("haproxy")
            .env("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
            .args(["-db", "-f"])
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need the Debian package haproxy");
        let proxy = Self {
            folder,
            port,
            process,
        };
        wait_until("the proxy listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        proxy
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The certificate of the authority.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

impl Drop for TlsProxy {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn make_certificates(folder: &TempDir) {
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let openssl = |arguments: &str| {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(folder.path())
            .output();
        let output = output.expect("these tests need the Debian package openssl");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {complaint}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    write("names", b"subjectAltName=DNS:localhost");
    openssl(&format!(
        "req -x509 {key} -subj /CN=ca -keyout ca.key -out ca.pem -days 2"
    ));
    openssl(&format!(
        "req {key} -subj /CN=localhost -keyout own.key -out own.csr"
    ));
    openssl(
        "x509 -req -in own.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out own.pem -days 2",
    );
    write("server.pem", &[read("own.pem"), read("own.key")].concat());
}
