//! Other sites' pages, and names that lead here.

use super::{assert_refused, guarded};
use faafo_e2e::http::Request;
use faafo_e2e::webdriver::Browser;
use faafo_e2e::{Home, Service, recipe, wait_for};
use std::io::{Read, Write};
use std::net::TcpListener;

#[test]
fn another_site_s_page_changes_nothing_even_where_everything_is_open() {
    let service = Service::start(&["--slots", "0"]);
    let id = service.create(&recipe::small());
    let path = format!("/v1/fractal/{id}");
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
    ] {
        let delete = Request::new("DELETE", &path).header(name, value);
        assert_refused(&service.send(&delete), 403, value);
        let create = Request::new("POST", "/v1/fractal").json(&recipe::small());
        assert_refused(&service.send(&create.header(name, value)), 403, value);
        assert_eq!(
            service
                .send(&Request::get(&path).header(name, value))
                .status,
            200
        );
    }
    let image = Request::get(&path).header("Sec-Fetch-Site", "cross-site");
    let image = image.header("Sec-Fetch-Mode", "no-cors");
    let image = image.header("Sec-Fetch-Dest", "image");
    assert_refused(&service.send(&image), 403, "load");
    assert_eq!(service.count("accepted"), 1);
    let own = Request::new("DELETE", &path).header("Origin", &service.url());
    assert_eq!(service.send(&own).status, 204);
}

#[test]
fn a_foreign_name_that_leads_here_is_refused_unless_it_is_allowed() {
    let home = Home::new();
    home.settings("allowed_hosts = 'pics.example, other.example'");
    let service = home.start(&["--slots", "0"]);
    let ask = |host: &str| service.send(&Request::get("/v1/status").header("Host", host));
    let refused = ask("rebound.example:8080");
    assert_refused(&refused, 421, "rebound");
    assert!(refused.text().contains("allowed_hosts"));
    for own in [
        "localhost:80",
        "127.0.0.1",
        "[::1]:9",
        "pics.example:8080",
        "OTHER.example",
    ] {
        assert_eq!(ask(own).status, 200, "{own}");
    }
    // With tokens names don't matter: another site has none.
    let (guarded, _) = guarded(&["--slots", "0"]);
    let request = Request::get("/v1/status").header("Host", "any.example");
    assert_eq!(guarded.send(&request).status, 200);
}

/// A page of another site on this machine, in a real browser that can reach the service.
#[test]
fn a_real_browser_on_a_foreign_page_can_t_create_or_delete_anything() {
    let service = Service::start(&["--slots", "0"]);
    let id = service.create(&recipe::small());
    let url = service.url();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let foreign = listener.local_addr().unwrap();
    let page = format!(
        "<!doctype html><title>evil</title><form method=post action='{url}/v1/fractal' enctype='text/plain' \
         target=frame><input name='{{\"width\"' value='1}}'></form><iframe name=frame></iframe>"
    );
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let length = page.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
            );
        }
    });
    let browser = Browser::start();
    browser.goto(&format!("http://{foreign}/"));
    let outcome = browser.eval(&format!(
        "fetch('{url}/v1/fractal/cancel', {{ method: 'POST', mode: 'no-cors', body: '{{}}' }})
            .then(() => 'sent', () => 'failed')"
    ));
    assert!(outcome == "sent" || outcome == "failed", "{outcome}");
    let outcome = browser.eval(&format!(
        "fetch('{url}/v1/fractal/{id}', {{ method: 'DELETE' }}).then(() => 'sent', () => 'failed')"
    ));
    assert_eq!(outcome, "failed");
    browser.eval("document.querySelector('form').submit()");
    // The answer in the frame is another site's by then, and can't be read.
    wait_for("the form is sent", || {
        let seen = browser.eval(
            "(() => { try { return frames[0].location.href } catch { return 'foreign' } })()",
        );
        (seen == "foreign").then_some(())
    });
    assert_eq!(
        service.json(&format!("/v1/fractal/{id}"))["state"],
        "queued"
    );
    assert_eq!(service.count("accepted"), 1);
}
