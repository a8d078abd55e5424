//! The gallery: empty, live, page by page.

use super::{assert_quiet, assert_still_and_quiet, facts, numbered, shown, visit};
use faafo_e2e::webdriver::Browser;
use faafo_e2e::{Service, recipe};
use serde_json::json;

#[test]
fn an_empty_gallery_leads_to_the_form() {
    let service = Service::start(&[]);
    let browser = Browser::start();
    visit(&browser, &service, "/");
    assert_eq!(browser.text("#empty h2"), "No pictures yet");
    assert_eq!(browser.text("#counts"), "0 pictures");
    for list in ["active", "pager"] {
        assert_eq!(
            browser.eval(&format!("document.getElementById('{list}').hidden")),
            true
        );
    }
    assert_still_and_quiet(&browser);
    browser.click("#empty a");
    browser.wait("location.pathname === '/new'");
    assert_quiet(&browser);
}

#[test]
fn a_picture_that_somebody_asks_for_appears_by_itself_and_leads_to_its_page() {
    let service = Service::start(&[]);
    let browser = Browser::start();
    visit(&browser, &service, "/");
    let id = service.create(&json!({"kind": "julia", "cx": -0.7269, "cy": 0.1889, "palette": "classic",
        "xa": -1.6, "xb": 1.6, "ya": -1.25, "yb": 1.25, "width": 320, "height": 250, "iterations": 1234}));
    let card = format!("#grid > [data-uuid='{id}']");
    browser.wait(&format!(
        "document.querySelector(\"{card} img:not(.glow)\")?.naturalWidth > 0"
    ));
    assert_eq!(browser.text("#counts"), "1 picture");
    assert_eq!(
        browser.eval("document.getElementById('empty').hidden"),
        true
    );
    assert_still_and_quiet(&browser);

    browser.click(&format!("{card} a"));
    browser.wait(&format!("location.pathname === '/picture/{id}'"));
    let facts = facts(&browser);
    for (name, value) in [
        ("Kind", "Julia"),
        ("c, real", "-0.7269"),
        ("c, imaginary", "0.1889"),
        ("Real axis", "-1.6 … 1.6"),
        ("Imaginary axis", "-1.25 … 1.25"),
        ("Size", "320 × 250 pixels"),
        ("Iterations", "1,234"),
        ("Palette", "classic"),
        ("Attempts", "1"),
        ("UUID", &id),
    ] {
        assert_eq!(facts[name], value, "{name}");
    }
    assert_eq!(facts["SHA-256"], service.row(&id)["checksum"]);
    assert_quiet(&browser);
}

#[test]
fn what_waits_stands_in_the_strip_until_it_is_called_off() {
    let service = Service::start(&["--threads", "1", "--slots", "1"]);
    let long = service.create(&recipe::long());
    service.wait_until_state(&long, "rendering");
    let browser = Browser::start();
    visit(&browser, &service, "/");
    browser.wait("document.getElementById('live').dataset.state === 'live'");
    let waiting = service.create(&numbered(0));
    browser.wait(&format!(
        "document.querySelector('[data-uuid=\"{waiting}\"] .state')?.innerText === 'queued'"
    ));
    assert_eq!(
        browser.text(&format!("[data-uuid='{long}'] .state")),
        "rendering"
    );

    service.delete(&long);
    browser.wait("document.getElementById('active').hidden");
    assert_eq!(shown(&browser, "#grid"), [waiting]);
    assert_still_and_quiet(&browser);
}

#[test]
fn older_pages_hold_still_while_the_first_one_moves_on() {
    let service = Service::start(&[]);
    for number in 0..30 {
        service.create(&numbered(number));
    }
    service.wait_until_all_done(30);
    let browser = Browser::start();
    visit(&browser, &service, "/");
    assert_eq!(browser.text("#pager .where"), "Page 1 of 2");
    assert_eq!(shown(&browser, "#grid").len(), 24);
    assert_eq!(
        browser.eval("document.querySelector('[rel=prev]')"),
        json!(null)
    );

    browser.click("[rel=next]");
    browser.wait("location.pathname === '/index/2'");
    browser.eval("window.marked = true");
    let older = shown(&browser, "#grid");
    assert_eq!(older.len(), 6);
    assert_eq!(browser.text("#pager .where"), "Page 2 of 2");
    assert_eq!(
        browser.eval("document.querySelector('[rel=next]')"),
        json!(null)
    );
    assert_eq!(browser.eval("document.getElementById('live').hidden"), true);

    // Once a listener in this very page knows of the new picture, and the server has moved its pages on, the page had
    // its chance to follow.
    browser.eval(
        "new Promise((resolve) => {
            const events = new EventSource('/v1/events');
            events.addEventListener('hello', resolve);
            events.addEventListener('fractal', ({ data }) => {
                window.told ||= JSON.parse(data).change === 'done';
            });
        })",
    );
    let newest = service.create_done(&numbered(30));
    browser.wait("window.told");
    let fetched = browser.eval("fetch(location.pathname).then((answer) => answer.text())");
    let moved = shown_in(fetched.as_str().unwrap());
    assert_eq!(moved.len(), 7);
    assert_eq!(shown(&browser, "#grid"), older);
    assert_still_and_quiet(&browser);

    browser.click("[rel=prev]");
    browser.wait("location.pathname === '/'");
    assert_eq!(shown(&browser, "#grid")[0], newest);
    assert_quiet(&browser);
}

#[test]
fn a_page_beyond_the_end_leads_back() {
    let service = Service::start(&[]);
    service.create_done(&numbered(0));
    let browser = Browser::start();
    visit(&browser, &service, "/index/7");
    assert_eq!(browser.text("#empty h2"), "Nothing on this page");
    assert_still_and_quiet(&browser);
    browser.click("[rel=prev]");
    browser.wait("location.pathname === '/'");
    assert_quiet(&browser);
}

#[test]
fn without_scripts_there_are_links_and_pictures() {
    let service = Service::start(&[]);
    let id = service.create_done(&numbered(0));
    let holds = |path: &str, parts: &[String]| {
        let page = service.get(path).text();
        for part in parts {
            assert!(page.contains(part.as_str()), "no {part} in {page}");
        }
    };
    let gallery = [
        format!("href=\"/picture/{id}\""),
        format!("src=\"/fractal/{id}/thumbnail\""),
        "href=\"/new\"".to_owned(),
    ];
    holds("/", &gallery);
    let picture = [
        format!("src=\"/fractal/{id}\""),
        format!("href=\"/fractal/{id}?download\""),
    ];
    holds(&format!("/picture/{id}"), &picture);
    holds(
        "/new",
        &["<noscript>".to_owned(), "faafo create".to_owned()],
    );
}

/// The names of the cards in the HTML of a page.
fn shown_in(html: &str) -> Vec<&str> {
    html.split("<li data-uuid=\"")
        .skip(1)
        .map(|rest| &rest[..36])
        .collect()
}
