//! Every client of ours speaks TLS, and believes only whom it has reason to.

use super::{token_of, with_token};
use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::http::Request;
use faafo_e2e::tls::TlsProxy;
use faafo_e2e::{complaint, pictures, printed, recipe, wait_until};

/// The command line, and a worker that sends its pictures through the API.
#[test]
fn command_line_and_worker_reach_a_service_through_tls_and_only_the_right_one() {
    let cluster = Cluster::new(Engine::Postgres);
    // Through a proxy others may come.
    cluster.home().settings("trusted_proxies = '127.0.0.1'");
    let mut api = cluster.api(&[]);
    let admin = api.first_token();
    let proxy = TlsProxy::start(api.address());
    let url = proxy.url();
    let cli = |arguments: &[&str], authority: Option<&str>| {
        let all = [&["-e", &url], arguments].concat();
        let mut command = api.home().command(&all);
        command.env("FAAFO_TOKEN", &admin);
        if let Some(file) = authority {
            command.env("SSL_CERT_FILE", file);
        }
        command.output().unwrap()
    };
    let ca_file = proxy.ca_file();
    let ca_file = ca_file.to_str();
    let stranger = complaint(&cli(&["list"], None));
    assert!(stranger.contains("certificate"), "{stranger}");
    let sides = ["--width", "300", "--height", "200", "--tasks", "1"];
    let id = printed(&cli(&[&["create"], &sides[..]].concat(), ca_file));
    let id = id.trim();

    let worker = token_of(&api, &admin, "worker");
    let environment = [
        ("FAAFO_TOKEN", worker.as_str()),
        ("SSL_CERT_FILE", ca_file.unwrap()),
    ];
    let _worker = cluster.worker_at(&environment, &[&url], &[]);
    wait_until("it is done", || api.row(id)["state"] == "done");
    printed(&cli(&["get", id, "-o", "x.png"], ca_file));
    let file = std::fs::read(api.home().path().join("x.png")).unwrap();
    assert_eq!(api.row(id)["checksum"], pictures::sha256(&file));
    let sent = with_token(Request::new("POST", "/v1/fractal"), &admin).json(&recipe::small());
    let sent = sent
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "pics.example");
    let answer = api.send(&sent);
    let location = answer.header("location").unwrap();
    assert!(location.starts_with("https://pics.example/"), "{location}");
}
