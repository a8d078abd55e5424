//! Tokens over REST and on the command line.

use super::{assert_refused, cli_with, guarded, guarded_in, token_of, with_token};
use faafo_e2e::cluster::{Cluster, Engine};
use faafo_e2e::http::Request;
use faafo_e2e::{Home, Service, complaint, pictures, printed, recipe, wait_until};
use serde_json::json;
use std::collections::BTreeSet;

const ID: &str = "00000000-0000-4000-8000-0000000000aa";

/// Every request that changes something, with the scopes that it is open to besides admin.
fn writes() -> Vec<(Request, &'static [&'static str])> {
    let json = |method: &str, path: &str| Request::new(method, path).json(&json!({}));
    let of = |action: &str| format!("/v1/fractal/{ID}{action}");
    vec![
        (json("POST", "/v1/fractal"), &["write"]),
        (json("PUT", &of("")), &["worker"]),
        (Request::new("DELETE", &of("")), &["write"]),
        (json("POST", &of("/cancel")), &["write"]),
        (json("POST", &of("/retry")), &["write"]),
        (json("POST", &of("/priority")), &["write"]),
        (json("POST", "/v1/fractal/cancel"), &["write"]),
        (json("POST", "/v1/fractal/retry"), &["write"]),
        (Request::new("PUT", "/v1/blobs").body("abc"), &["worker"]),
        (json("POST", "/v1/tokens"), &[]),
        (Request::new("DELETE", &format!("/v1/tokens/{ID}")), &[]),
        (Request::get("/v1/tokens"), &[]),
        (json("POST", "/v1/whatever/comes/next"), &[]),
        (json("PATCH", "/v1/fractal"), &[]),
    ]
}

/// Every address that the service knows, as its source says it: none can be forgotten here.
fn routes() -> BTreeSet<String> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/server/src/routes.rs"
    );
    let source = std::fs::read_to_string(path).unwrap();
    let routes: BTreeSet<String> = source
        .split("  row(")
        .skip(1)
        .map(|row| row.split('"').nth(1).unwrap().to_owned())
        .collect();
    assert!(routes.len() > 20, "{routes:?}");
    routes
}

/// Defect 20: anyone could PUT results and DELETE.
#[test]
fn beyond_loopback_nothing_is_changed_without_a_token() {
    let (service, admin) = guarded(&["--slots", "0"]);
    let create = Request::new("POST", "/v1/fractal").json(&recipe::small());
    let created = service.send(&with_token(create.clone(), &admin));
    assert_eq!(created.status, 201, "{}", created.text());
    let id = created.json()["uuid"].as_str().unwrap().to_owned();
    for route in routes() {
        let path = route.replace("{uuid}", &id).replace("{id}", ID);
        let path = path.replace("{sha256}", &"0".repeat(64));
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            if matches!(route.as_str(), "/login" | "/logout") && method == "POST" {
                continue;
            }
            let request = Request::new(method, &path).json(&json!({}));
            let what = format!("{method} {path}");
            assert_refused(&service.send(&request), 401, &what);
            let guessed = with_token(request, "faafo_guessed");
            assert_refused(&service.send(&guessed), 401, &what);
        }
    }
    for path in [
        "/",
        "/v1/fractal",
        &format!("/v1/fractal/{id}"),
        "/new",
        "/v1/status",
    ] {
        assert_eq!(service.get(path).status, 200, "{path}: looking is free");
    }
    assert_eq!(
        service.json(&format!("/v1/fractal/{id}"))["state"],
        "queued"
    );
}

#[test]
fn a_token_allows_what_its_scope_says_and_nothing_else() {
    let (service, admin) = guarded(&["--slots", "0"]);
    for scope in ["read", "write", "worker", "admin"] {
        let token = token_of(&service, &admin, scope);
        for (request, scopes) in writes() {
            let what = format!("{scope}: {request:?}");
            let answer = service.send(&with_token(request, &token));
            if scope == "admin" || scopes.contains(&scope) {
                assert!(!matches!(answer.status, 401 | 403), "{what}");
            } else {
                assert_refused(&answer, 403, &what);
            }
        }
    }
}

#[test]
fn where_everything_needs_a_token_looking_does_too() {
    let home = Home::new();
    home.settings("access = 'all'");
    let (service, admin) = guarded_in(&home, &[]);
    let create = Request::new("POST", "/v1/fractal").json(&recipe::small());
    let created = service.send(&with_token(create, &admin)).json();
    let id = created["uuid"].as_str().unwrap();
    let reader = token_of(&service, &admin, "read");
    let row = format!("/v1/fractal/{id}");
    let ask = |path: &str| service.send(&with_token(Request::get(path), &reader));
    wait_until("it is done", || ask(&row).json()["state"] == "done");
    let picture = format!("/fractal/{id}");
    for path in [&row, &picture, "/v1/events", "/v1/status", "/v1/fractal"] {
        assert_refused(&service.get(path), 401, path);
    }
    for path in ["/healthz", "/readyz", "/static/base.css", "/login"] {
        assert_eq!(service.get(path).status, 200, "{path}");
    }
    let page = service.get("/index/2");
    assert_eq!(
        (page.status, page.header("location")),
        (303, Some("/login?next=/index/2"))
    );
    let kept = ask(&picture);
    assert_eq!(kept.status, 200);
    // No cache on the way may show it to others.
    assert!(kept.header("cache-control").unwrap().starts_with("private"));
    let worker = token_of(&service, &admin, "worker");
    let row = with_token(Request::get(&row), &worker);
    assert_refused(&service.send(&row), 403, "a worker reads blobs only");
}

#[test]
fn a_revoked_token_is_refused_at_once() {
    let (service, admin) = guarded(&["--slots", "0"]);
    let token = token_of(&service, &admin, "write");
    let create = Request::new("POST", "/v1/fractal").json(&recipe::small());
    assert_eq!(
        service.send(&with_token(create.clone(), &token)).status,
        201
    );
    let list = printed(&cli_with(&service, &admin, &["token", "list"]));
    assert!(!list.contains(&token) && !list.contains(&admin), "{list}");
    let line = list.lines().find(|line| line.contains("| for write |"));
    let id = line.unwrap().split(' ').nth(1).unwrap();
    printed(&cli_with(&service, &admin, &["token", "revoke", id]));
    let refused = service.send(&with_token(create, &token));
    assert_refused(&refused, 401, "revoked");
    let list = printed(&cli_with(&service, &admin, &["token", "list"]));
    assert!(
        list.lines()
            .any(|line| line.contains(id) && line.contains("revoked"))
    );
    let unknown = complaint(&cli_with(&service, &admin, &["token", "revoke", ID]));
    assert!(unknown.contains(ID), "{unknown}");
}

#[test]
fn the_command_line_shows_its_token_and_says_what_to_do_without_one() {
    let (service, admin) = guarded(&["--slots", "0"]);
    let made = printed(&cli_with(
        &service,
        &admin,
        &["token", "create", "--scope", "write"],
    ));
    let token = made.trim();
    assert!(token.starts_with("faafo_") && made.lines().count() == 1);
    let create = ["create", "--tasks", "1"];
    let without = complaint(&service.cli(&create));
    assert!(
        without.contains("FAAFO_TOKEN") && without.contains("401"),
        "{without}"
    );
    printed(&cli_with(&service, token, &create));
    let file = service.home().path().join("token");
    std::fs::write(&file, format!("{token}\n")).unwrap();
    service.home().settings("token_file = 'token'");
    let id = printed(&service.cli(&create));
    printed(&service.cli(&["delete", id.trim()]));
    let scope = complaint(&service.cli(&["token", "list"]));
    assert!(scope.contains("admin") && scope.contains("403"), "{scope}");
    let wrong = complaint(&cli_with(&service, "faafo_wrong", &create));
    assert!(
        wrong.contains("unknown") && wrong.contains("401"),
        "{wrong}"
    );
    // No row has come into being but those that were allowed.
    assert_eq!(service.count("accepted"), 1);
}

#[test]
fn the_first_token_is_printed_once_and_only_at_the_first_start() {
    let home = Home::new();
    let (service, token) = guarded_in(&home, &["--slots", "0"]);
    assert_eq!(service.rest_of_stdout(), "");
    let again = home.start(&["--slots", "0", "--listen", "0.0.0.0:0"]);
    let list = with_token(Request::get("/v1/tokens"), &token);
    assert_eq!(again.send(&list).status, 200, "it still holds");
    assert_eq!(again.rest_of_stdout(), "");
    // Where nobody needs a token, none is made.
    let open = Service::start(&["--slots", "0"]);
    assert_eq!(open.rest_of_stdout(), "");
}

#[test]
fn whoever_has_lost_all_tokens_makes_one_in_the_database() {
    let home = Home::new();
    let (service, lost) = guarded_in(&home, &["--slots", "0"]);
    let flags = ["token", "create", "--scope", "admin", "--database-url"];
    let mut command = home.command(&flags);
    let output = command.env("FAAFO_DATA", home.data()).output().unwrap();
    let token = printed(&output);
    let list = with_token(Request::get("/v1/tokens"), token.trim());
    let tokens = service.send(&list).json();
    assert_eq!(tokens["objects"].as_array().unwrap().len(), 2);
    assert!(!tokens.to_string().contains(&lost));
    let nowhere = Home::new().run(&flags);
    assert!(complaint(&nowhere).contains("faafo.db"));
}

#[test]
fn servers_that_start_together_print_one_token_and_know_it_all() {
    let cluster = Cluster::new(Engine::Postgres);
    cluster.home().settings("access = 'writes'");
    let apis: Vec<Service> = (0..3).map(|_| cluster.api(&[])).collect();
    let addresses: Vec<_> = apis.iter().map(Service::address).collect();
    let said: Vec<String> = apis.into_iter().map(Service::rest_of_stdout).collect();
    assert_eq!(
        said.iter().filter(|said| !said.is_empty()).count(),
        1,
        "{said:?}"
    );
    let token = said.concat().trim().rsplit(' ').next().unwrap().to_owned();
    let api = cluster.api_at(&addresses[2].to_string(), &[]);
    let list = with_token(Request::get("/v1/tokens"), &token);
    assert_eq!(api.send(&list).status, 200);
}

/// Nothing but an endpoint, the queue and its token: what a worker on another machine has.
#[test]
fn a_worker_does_its_work_with_a_token_of_its_own() {
    let cluster = Cluster::new(Engine::Postgres);
    cluster.home().settings("access = 'all'");
    let mut api = cluster.api(&[]);
    let admin = api.first_token();
    let token = token_of(&api, &admin, "worker");
    let create = Request::new("POST", "/v1/fractal").json(&recipe::medium(0));
    let created = api.send(&with_token(create, &admin)).json();
    let id = created["uuid"].as_str().unwrap();
    // Without one it takes no task that another worker could do.
    let url = api.url();
    let transport = [("FAAFO_TRANSPORT_URL", cluster.transport_url())];
    let worker = |token: &str| {
        let mut command = cluster.home().command(&["worker", "-e", &url]);
        command.envs(transport).env("FAAFO_TOKEN", token);
        command.output().unwrap()
    };
    for useless in ["", "faafo_wrong", &token_of(&api, &admin, "write")] {
        let line = complaint(&worker(useless));
        assert!(line.contains("FAAFO_TOKEN"), "{line}");
    }
    let _worker = cluster.worker_at(&[("FAAFO_TOKEN", &token)], &[&api.url()], &[]);
    let ask = |path: &str| api.send(&with_token(Request::get(path), &admin));
    let row = || ask(&format!("/v1/fractal/{id}")).json();
    wait_until("it is done", || row()["state"] == "done");
    let picture = ask(&format!("/fractal/{id}")).body;
    assert_eq!(row()["checksum"], pictures::sha256(&picture));
}
