//! Signing in to OpenStack.

use crate::server::{Server, answer};
use faafo_http::keystone::{
    Application, Credentials, Domain, Interface, Keystone, Named, Scope, Token,
};
use faafo_http::{Call, ErrorKind, Http, Sessions, SignIn};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

fn http() -> Http {
    let local = Url::parse("http://127.0.0.1").unwrap();
    Http::new(Duration::from_secs(30), &[&local]).unwrap()
}

fn token(text: &str) -> Credentials {
    Credentials::Token(text.to_owned())
}

/// Gives the tokens `token-0`, `token-1`, … for an hour, with this catalogue, and no token for `hidden`.
async fn keystone(catalog: Value) -> Server {
    let next = AtomicU32::new(0);
    Server::start(move |head, body| {
        assert!(head.starts_with("POST /identity/v3/auth/tokens HTTP/1.1"));
        let request: Value = serde_json::from_str(body).unwrap();
        if request["auth"]["identity"]["token"]["id"] == "hidden" {
            return answer("401 Unauthorized", "", "{}");
        }
        let number = next.fetch_add(1, SeqCst);
        let token = json!({ "token": {
            "issued_at": "2015-08-30T12:00:00.000000Z",
            "expires_at": "2015-08-30T13:00:00.000000Z",
            "project": { "id": "a6944d763bf64ee6a275f1263fae0352" },
            "catalog": catalog,
        } });
        let headers = format!("x-subject-token: token-{number}\r\n");
        answer("201 Created", &headers, &token.to_string())
    })
    .await
}

fn at(server: &Server, credentials: &Credentials) -> Keystone {
    let url = server.url.join("identity").unwrap();
    Keystone::new(
        url,
        credentials,
        &Scope::Unscoped,
        "the token in clouds.yaml",
    )
}

async fn signed_in(catalog: Value) -> Token {
    let server = keystone(catalog).await;
    let keystone = at(&server, &token("good"));
    keystone.sign_in(&http()).await.unwrap().session
}

#[tokio::test]
async fn a_token_comes_with_its_end_and_its_project() {
    let server = keystone(json!([])).await;
    let issued = at(&server, &token("good")).sign_in(&http()).await.unwrap();
    // By the server's clock, which is years behind.
    assert_eq!(issued.lifetime, Some(Duration::from_secs(3600)));
    let token = issued.session;
    assert_eq!(token.value(), "token-0");
    assert_eq!(token.project(), Some("a6944d763bf64ee6a275f1263fae0352"));
    let end = humantime::parse_rfc3339("2015-08-30T13:00:00Z").unwrap();
    assert_eq!(token.expires(), Some(end));
    assert!(!format!("{:?}", token.value()).contains("token-0"));
}

#[tokio::test]
async fn any_service_is_found_in_the_catalogue() {
    let endpoint = |interface: &str, region: &str, url: &str| json!({ "interface": interface, "region": region, "url": url });
    let token = signed_in(json!([
        { "type": "compute", "endpoints": [
            endpoint("internal", "north", "http://nova.local/v2.1"),
            endpoint("public", "north", "https://nova.example/v2.1/"),
            endpoint("public", "south", "https://south.example/v2.1"),
        ] },
        { "type": "volumev3", "endpoints": [endpoint("public", "north", "https://cinder.example/v3/a")] },
        { "type": "load-balancer", "endpoints": [
            { "interface": "public", "region_id": "north", "url": "https://octavia.example" },
        ] },
        { "type": "image", "endpoints": [endpoint("public", "north", "no URL")] },
    ]))
    .await;
    for (service, interface, region, url) in [
        (
            "compute",
            Interface::Public,
            None,
            Some("https://nova.example/v2.1"),
        ),
        (
            "compute",
            Interface::Public,
            Some("south"),
            Some("https://south.example/v2.1"),
        ),
        (
            "compute",
            Interface::Internal,
            Some("north"),
            Some("http://nova.local/v2.1"),
        ),
        ("compute", Interface::Admin, None, None),
        ("compute", Interface::Internal, Some("south"), None),
        (
            "block-storage",
            Interface::Public,
            None,
            Some("https://cinder.example/v3/a"),
        ),
        (
            "volumev3",
            Interface::Public,
            None,
            Some("https://cinder.example/v3/a"),
        ),
        (
            "load-balancer",
            Interface::Public,
            Some("north"),
            Some("https://octavia.example/"),
        ),
        ("image", Interface::Public, None, None),
        ("orchestration", Interface::Public, None, None),
    ] {
        let found = token.endpoint(service, interface, region);
        assert_eq!(found.as_ref().map(Url::as_str), url, "{service} {region:?}");
    }
}

#[test]
fn an_interface_is_known_by_both_of_its_names() {
    assert_eq!(Interface::parse("internal"), Some(Interface::Internal));
    assert_eq!(Interface::parse("publicURL"), Some(Interface::Public));
    assert_eq!(Interface::parse("private"), None);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_request_sent_again() {
    let keystone_server = keystone(json!([])).await;
    let nova = Server::start(|head, _| {
        if head.contains("x-auth-token: token-1") {
            answer("200 OK", "", "servers")
        } else {
            answer("401 Unauthorized", "", "")
        }
    })
    .await;
    let sessions = Sessions::new(at(&keystone_server, &token("good")));
    let http = http();
    let make = |token: &Token| token.call(Call::new(Method::GET, nova.url.clone()));
    for _ in 0..2 {
        let response = sessions.send(&http, make).await.unwrap();
        assert_eq!(http.text(response).await.unwrap(), "servers");
    }
    assert_eq!(nova.requests().len(), 3);
    assert_eq!(keystone_server.requests().len(), 2);
}

#[tokio::test]
async fn those_who_come_together_sign_in_once() {
    let server = keystone(json!([])).await;
    let sessions = Arc::new(Sessions::new(at(&server, &token("good"))));
    let http = http();
    let all = (0..8).map(|_| sessions.session(&http));
    futures_util::future::try_join_all(all).await.unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_refusal_names_the_settings_and_not_the_secret() {
    let server = keystone(json!([])).await;
    let refused = at(&server, &token("hidden")).sign_in(&http()).await;
    let error = refused.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = format!("{error} {error:?}");
    assert!(text.contains("clouds.yaml"), "{text}");
    assert!(!text.contains("hidden"), "{text}");
}

#[tokio::test]
async fn nonsense_instead_of_a_token_is_the_server_s_fault() {
    for headers in ["", "x-subject-token: t\r\n"] {
        let server = Server::start(move |_, _| answer("201 Created", headers, "<html>")).await;
        let signed_in = at(&server, &token("good")).sign_in(&http()).await;
        assert_eq!(signed_in.err().unwrap().kind(), ErrorKind::Unavailable);
    }
}

/// What Keystone is sent for these credentials and this scope.
async fn request(credentials: Credentials, scope: Scope) -> Value {
    let (send, mut sent) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start(move |_, body| {
        send.send(serde_json::from_str(body).unwrap()).unwrap();
        answer("401 Unauthorized", "", "")
    })
    .await;
    let keystone = Keystone::new(server.url.clone(), &credentials, &scope, "");
    assert!(keystone.sign_in(&http()).await.is_err());
    sent.recv().await.unwrap()
}

// The examples of Keystone's reference.
#[tokio::test]
async fn all_ways_to_sign_in_are_written_as_keystone_reads_them() {
    let default = || Domain::Id("default".to_owned());
    let admin = || Named::Name {
        name: "admin".to_owned(),
        domain: Domain::Name("Default".to_owned()),
    };
    let by_name = json!({ "name": "admin", "domain": { "name": "Default" } });
    let password = Credentials::Password {
        user: Named::Id("ee4dfb".to_owned()),
        password: "devstacker".to_owned(),
    };
    assert_eq!(
        request(password, Scope::Project(admin())).await,
        json!({ "auth": {
            "identity": {
                "methods": ["password"],
                "password": { "user": { "id": "ee4dfb", "password": "devstacker" } },
            },
            "scope": { "project": by_name },
        } })
    );
    for (scope, written) in [
        (
            Scope::Domain(default()),
            json!({ "domain": { "id": "default" } }),
        ),
        (Scope::System, json!({ "system": { "all": true } })),
        (
            Scope::Project(Named::Id("a6944d".to_owned())),
            json!({ "project": { "id": "a6944d" } }),
        ),
    ] {
        assert_eq!(
            request(token("'$OS_TOKEN'"), scope).await,
            json!({ "auth": {
                "identity": { "methods": ["token"], "token": { "id": "'$OS_TOKEN'" } },
                "scope": written,
            } })
        );
    }
    for (application, mut written) in [
        (
            Application::Id("423f19".to_owned()),
            json!({ "id": "423f19" }),
        ),
        (
            Application::Name {
                name: "monitoring".to_owned(),
                user: admin(),
            },
            json!({ "name": "monitoring", "user": by_name }),
        ),
    ] {
        written["secret"] = json!("rEaqvJka48mpv");
        let credentials = Credentials::Application {
            application,
            secret: "rEaqvJka48mpv".to_owned(),
        };
        assert_eq!(
            request(credentials, Scope::Unscoped).await,
            json!({ "auth": { "identity": {
                "methods": ["application_credential"],
                "application_credential": written,
            } } })
        );
    }
}
