//! What nginx makes of the same bytes: one process, sendfile, no log.

use std::fs::write;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// Serves the bytes while `measure` asks for them.
pub fn serve<T>(bytes: &[u8], measure: impl FnOnce(&str) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    write(folder.path().join("picture.png"), bytes).unwrap();
    let settings = format!(
        "daemon off; master_process off; pid {root}/pid; error_log stderr;\n\
         events {{ worker_connections 256; }}\n\
         http {{ access_log off; sendfile on; keepalive_requests 100000000; types {{ image/png png; }}\n\
         client_body_temp_path {root}/a; proxy_temp_path {root}/b; fastcgi_temp_path {root}/c;\n\
         uwsgi_temp_path {root}/d; scgi_temp_path {root}/e;\n\
         server {{ listen 127.0.0.1:{port}; root {root}; }} }}\n"
    );
    let file = folder.path().join("nginx.conf");
    write(&file, settings).unwrap();
    // Debian's own account can't read what is in a temporary folder.
    let mut nginx = Command::new("nginx")
        .args(["-g", "user root;", "-c", file.to_str().unwrap()])
        .spawn()
        .expect("nginx is not installed");
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        sleep(Duration::from_millis(20));
    }
    let result = measure(&format!("http://127.0.0.1:{port}/picture.png"));
    nginx.kill().unwrap();
    nginx.wait().unwrap();
    result
}
