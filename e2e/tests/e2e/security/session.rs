//! Signing in on the pages, in a real browser and by hand.

use super::{assert_refused, guarded, guarded_in, token_of, with_token};
use faafo_e2e::http::{Answer, Request};
use faafo_e2e::webdriver::Browser;
use faafo_e2e::{Home, Service, recipe};
use serde_json::json;

fn form(path: &str, body: &str) -> Request {
    Request::new("POST", path)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
}

fn sign_in(service: &Service, token: &str) -> Answer {
    service.send(&form("/login", &format!("next=%2Fnew&token={token}")))
}

/// The cookie that an answer sets, as it is sent back.
fn cookie(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[test]
fn a_session_is_not_the_token_and_ends_with_it() {
    let (service, admin) = guarded(&["--slots", "0"]);
    let token = token_of(&service, &admin, "write");
    let answer = sign_in(&service, &token);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/new"))
    );
    let set = answer.header("set-cookie").unwrap();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Strict"),
        "{set}"
    );
    assert!(set.contains("Path=/;") && !set.contains("Secure"), "{set}");
    let cookie = cookie(&answer);
    let secret = cookie.split_once('=').unwrap().1;
    assert!(!token.contains(secret));
    let create = Request::new("POST", "/v1/fractal").json(&recipe::small());
    let signed = create.clone().header("Cookie", &cookie);
    assert_eq!(service.send(&signed).status, 201);
    let foreign = signed.clone().header("Sec-Fetch-Site", "cross-site");
    assert_refused(&service.send(&foreign), 403, "another site's page");
    let as_token = with_token(create.clone(), secret);
    assert_refused(&service.send(&as_token), 401, "a session is no token");
    let list = Request::get("/v1/tokens").header("Cookie", &cookie);
    assert_refused(&service.send(&list), 403, "it has its token's scope");

    let list = service
        .send(&with_token(Request::get("/v1/tokens"), &admin))
        .json();
    let tokens = list["objects"].as_array().unwrap();
    let own = tokens
        .iter()
        .find(|token| token["scope"] == "write")
        .unwrap();
    let revoke = Request::new(
        "DELETE",
        &format!("/v1/tokens/{}", own["id"].as_str().unwrap()),
    );
    assert_eq!(service.send(&with_token(revoke, &admin)).status, 204);
    assert_refused(&service.send(&signed), 401, "revoked");
    let page = Request::get("/new").header("Cookie", &cookie);
    assert_eq!(service.send(&page).status, 200, "looking is still free");
}

#[test]
fn signing_out_ends_a_session_also_for_whoever_has_copied_it() {
    let (service, admin) = guarded(&["--slots", "0"]);
    let cookie = cookie(&sign_in(&service, &admin));
    let create = Request::new("POST", "/v1/fractal").json(&recipe::small());
    let signed = create.header("Cookie", &cookie);
    assert_eq!(service.send(&signed).status, 201);
    let out = service.send(&form("/logout", "").header("Cookie", &cookie));
    assert_eq!((out.status, out.header("location")), (303, Some("/")));
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_refused(&service.send(&signed), 401, "signed out");
    let wrong = sign_in(&service, "faafo_wrong");
    assert!(wrong.status == 401 && wrong.text().contains("unknown"));
    assert_eq!(wrong.header("set-cookie"), None);
}

#[test]
fn behind_a_trusted_proxy_with_tls_the_cookie_is_for_tls_only() {
    let home = Home::new();
    home.settings("trusted_proxies = '127.0.0.0/8'");
    let mut service = home.start(&["--slots", "0"]);
    let token = service.first_token();
    let through = |request: Request| {
        request
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Host", "pics.example")
            .header("X-Forwarded-For", "203.0.113.9")
    };
    let sign_in = through(form("/login", &format!("token={token}")));
    let sign_in = sign_in.header("Origin", "https://pics.example");
    let answer = service.send(&sign_in);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(answer.header("set-cookie").unwrap().contains("; Secure"));
    let create = Request::new("POST", "/v1/fractal").json(&recipe::small());
    let created = service.send(&through(with_token(create, &token)));
    let location = created.header("location").unwrap();
    assert!(
        location.starts_with("https://pics.example/v1/"),
        "{location}"
    );

    // Whom nobody trusts is not believed.
    let (service, token) = guarded_in(&Home::new(), &["--slots", "0"]);
    let answer = service.send(&through(form("/login", &format!("token={token}"))));
    assert!(!answer.header("set-cookie").unwrap().contains("Secure"));
}

#[test]
fn in_a_real_browser_one_signs_in_creates_deletes_and_signs_out() {
    let (service, admin) = guarded(&["--slots", "1"]);
    let token = token_of(&service, &admin, "write");
    let browser = Browser::start();
    let at = |path: &str| format!("location.pathname === '{path}'");
    browser.goto(&format!("{}/new?width=64&height=48", service.url()));
    assert_eq!(
        browser.eval("document.getElementById('create')"),
        json!(null)
    );
    browser.click("#to-login");
    browser.wait(&at("/login"));
    browser.fill("#token", "faafo_wrong");
    browser.click(".login button");
    browser.wait("document.getElementById('token-error').innerText.includes('unknown')");
    browser.fill("#token", &token);
    browser.click(".login button");
    browser.wait(&at("/new"));
    // The recipe has come along.
    browser.wait("document.querySelector('[name=width]').value === '64'");
    browser.click("#create");
    browser.wait("location.pathname.startsWith('/picture/')");
    browser.wait("document.getElementById('main').dataset.state === 'done'");
    assert_eq!(browser.eval("document.cookie"), "", "no script gets at it");
    browser.click("#delete");
    browser.click("#confirm .danger");
    browser.wait(&at("/"));
    assert_eq!(service.count("accepted"), 0);
    browser.click("a.account");
    browser.wait(&at("/login"));
    assert!(browser.text(".login").contains("write"));
    browser.click(".login button");
    browser.wait(&at("/"));
    assert_eq!(browser.text("a.account"), "Sign in");
    // The refused token, and a page that hears of its deletion before it is left.
    let expected = |line: &String| line.contains("/login - ") || line.contains(" 404 ");
    let console = browser.console();
    assert!(console.iter().all(expected), "{console:?}");
}

/// Where scripts have no secure origin, browsers say less of where a form comes from.
#[test]
fn signing_in_works_by_an_address_without_tls_too() {
    let (service, token) = guarded(&["--slots", "0"]);
    let outside = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    outside.connect("198.51.100.1:9").unwrap();
    let host = outside.local_addr().unwrap().ip();
    let url = format!("http://{host}:{}", service.address().port());
    let browser = Browser::start();
    browser.goto(&format!("{url}/login"));
    browser.fill("#token", &token);
    browser.click(".login button");
    browser.wait("document.querySelector('a.account')?.innerText === 'Account'");
    browser.goto(&format!("{url}/login"));
    browser.click(".login button");
    browser.wait("document.querySelector('a.account')?.innerText === 'Sign in'");
}
