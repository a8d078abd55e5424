//! Signing in to Swift: tokens expire, and Keystone hands them out. Keystone is played by a few lines in front of the
//! real Swift, whose own tokens they pass on.

use crate::place::{self, Place};
use crate::promises::{content, fetch};
use crate::server::{self, Line};
use faafo_blob::{ErrorKind, open, open_with, put};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn an_expired_token_is_renewed() {
    let place = place::swift();
    let store = place.open().await;
    let blob = put(&*store, content(100, 1)).await.unwrap();
    let mut upload = store.begin().await.unwrap();
    upload.write(content(10_000_000, 1)).await.unwrap();
    // Tempauth keeps its tokens there.
    let mut memcached = TcpStream::connect(server::swift().address("memcached"))
        .await
        .unwrap();
    memcached.write_all(b"flush_all\r\n").await.unwrap();
    let mut answer = [0; 4];
    memcached.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"OK\r\n");
    upload.write(content(10_000_000, 2)).await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(fetch(&*store, &blob.key, 0..100).await, content(100, 1));
}

#[tokio::test]
async fn keystone_tells_the_token_and_the_place() {
    let place = place::swift();
    let keystone = keystone(&place).await;
    let url = format!(
        "swift://fractal:p%40ss@{}?auth=http://{keystone}/identity&project=faafo&user_domain=people&region=north",
        container(&place)
    );
    let store = open_with(&url, None, &|_| None).await.unwrap();
    let blob = put(&*store, content(1000, 1)).await.unwrap();
    // It is the same container.
    let direct = place.open().await;
    assert_eq!(fetch(&*direct, &blob.key, 0..1000).await, content(1000, 1));

    let wrong = open_with(&url.replace("p%40ss", "hidden"), None, &|_| None)
        .await
        .unwrap();
    let error = wrong.ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!error.to_string().contains("hidden"), "{error}");
    assert!(error.to_string().contains("OS_PASSWORD"), "{error}");

    let elsewhere = open_with(&url.replace("north", "south"), None, &|_| None)
        .await
        .unwrap();
    let error = elsewhere.ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("region"), "{error}");
}

#[tokio::test]
async fn keystone_is_found_by_the_environment_alone() {
    let place = place::swift();
    let keystone = keystone(&place).await;
    let environment = move |name: &str| {
        let value = match name {
            "OS_AUTH_URL" => format!("http://{keystone}/identity/v3/"),
            "OS_USERNAME" => "fractal".to_owned(),
            "OS_PASSWORD" => "p@ss".to_owned(),
            "OS_PROJECT_NAME" => "faafo".to_owned(),
            "OS_USER_DOMAIN_NAME" => "people".to_owned(),
            _ => return None,
        };
        Some(value)
    };
    let url = format!("swift://{}", container(&place));
    let store = open_with(&url, None, &environment).await.unwrap();
    store.ping().await.unwrap();
    put(&*store, content(10, 1)).await.unwrap();
    // No key, no presigned URLs.
    let nothing = faafo_model::BlobKey([0; 32]);
    let url = store
        .presigned_get(&nothing, "x", std::time::Duration::from_secs(1))
        .await;
    assert_eq!(url, None);
}

#[tokio::test]
async fn swift_away_while_signing_in_is_no_wrong_password() {
    let url = "swift://u:k@c?auth=http://127.0.0.1:1/auth/v1.0";
    let error = open(url).await.unwrap().ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

fn container(place: &Place) -> String {
    let url = place.url();
    let (_, rest) = url.split_once('@').unwrap();
    rest.split('?').next().unwrap().to_owned()
}

/// Signs in user `fractal` with `p@ss`, on one port.
async fn keystone(place: &Place) -> SocketAddr {
    let swift = place.server;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(sign_in(client, swift));
        }
    });
    address
}

async fn sign_in(mut client: TcpStream, swift: SocketAddr) {
    let mut request = Vec::new();
    let body: Value = loop {
        client.read_buf(&mut request).await.unwrap();
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            assert!(head.starts_with("POST /identity/v3/auth/tokens HTTP/1.1"));
            break body;
        }
    };
    assert_eq!(
        body["auth"]["scope"]["project"],
        json!({ "name": "faafo", "domain": { "name": "Default" } })
    );
    let password = &body["auth"]["identity"]["password"];
    let user = json!({ "name": "fractal", "domain": { "name": "people" }, "password": "p@ss" });
    let answer = if password["user"] == user {
        let signed_in = reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .get(format!("http://{swift}/auth/v1.0"))
            .header("x-auth-user", "test:tester")
            .header("x-auth-key", "testing")
            .send()
            .await
            .unwrap();
        let header = |name: &str| signed_in.headers()[name].to_str().unwrap().to_owned();
        let endpoint =
            json!({ "interface": "public", "region": "north", "url": header("x-storage-url") });
        let admin = json!({ "interface": "admin", "region": "north", "url": "http://127.0.0.1:1" });
        let catalog = json!({ "token": { "catalog": [
            { "type": "image", "endpoints": [admin] },
            { "type": "object-store", "endpoints": [admin, endpoint] },
        ] } });
        let token = header("x-auth-token");
        let catalog = catalog.to_string();
        format!(
            "HTTP/1.1 201 Created\r\nx-subject-token: {token}\r\ncontent-length: {}\r\n\r\n{catalog}",
            catalog.len()
        )
    } else {
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_owned()
    };
    client.write_all(answer.as_bytes()).await.unwrap();
    let _ = client.read_buf(&mut request).await;
}
