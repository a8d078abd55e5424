//! Every page on a telephone and on a desk, by day and by night; with pictures of them for people to look at.

use super::{assert_quiet, drawn, numbered, visit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use faafo_e2e::http::Request;
use faafo_e2e::webdriver::Browser;
use faafo_e2e::{Home, Service, recipe};
use serde_json::json;
use std::path::PathBuf;

const SIZES: [(&str, u32, u32); 2] = [("desktop", 1440, 900), ("phone", 390, 844)];

#[test]
fn every_page_fits_a_phone_and_a_desk_and_keeps_the_console_quiet() {
    let service = Service::start(&["--threads", "2", "--slots", "1"]);
    for number in 0..20 {
        service.create(&numbered(number));
    }
    let mut fine = String::new();
    for (cx, cy, width, height) in [
        (-0.835, -0.2321, 720, 1280),
        (0.285, 0.01, 800, 600),
        (-0.4, 0.6, 1280, 720),
        (-0.70176, -0.3842, 1280, 960),
        (-0.8, 0.156, 1280, 720),
    ] {
        let half = 1.7 * f64::from(height) / f64::from(width);
        fine = service.create(
            &json!({"kind": "julia", "cx": cx, "cy": cy, "palette": "aurora", "iterations": 500,
            "width": width, "height": height, "xa": -1.7, "xb": 1.7, "ya": -half, "yb": half}),
        );
    }
    service.wait_until_all_done(25);
    let whole = json!({"xa": -2.2, "xb": 0.8, "ya": -1.5, "yb": 1.5, "iterations": 50_000});
    let rendering = service.create(&recipe::with(recipe::long(), whole));
    service.wait_until_state(&rendering, "rendering");
    // So deep that an idea of it takes more than a few hundred iterations.
    let queued = service.create(
        &json!({"kind": "mandelbrot", "palette": "aurora", "iterations": 4000,
            "width": 3840, "height": 2160, "xa": -0.743_650_1, "xb": -0.743_636_1,
            "ya": 0.131_822_0, "yb": 0.131_829_9}),
    );

    let browser = Browser::start();
    for (name, path, ready) in [
        (
            "gallery",
            "/".to_owned(),
            "document.getElementById('live').dataset.state === 'live'".to_owned(),
        ),
        ("gallery-2", "/index/2".to_owned(), "true".to_owned()),
        ("gallery-beyond", "/index/9".to_owned(), "true".to_owned()),
        ("new", "/new".to_owned(), drawn(".preset:last-child canvas")),
        (
            "docs",
            "/docs".to_owned(),
            "document.querySelectorAll('.operation').length > 10 \
             && (document.getElementById('createFractal').open = true) \
             && !!document.querySelector('#createFractal textarea')"
                .to_owned(),
        ),
        (
            "picture",
            format!("/picture/{fine}"),
            "document.querySelector('.frame img').complete".to_owned(),
        ),
        (
            "rendering",
            format!("/picture/{rendering}"),
            drawn("#sketch"),
        ),
        ("queued", format!("/picture/{queued}"), drawn("#sketch")),
    ] {
        visit(&browser, &service, &path);
        browser.wait(&ready);
        check(&browser, name);
        assert_quiet(&browser);
    }
    visit(&browser, &service, "/nowhere");
    check(&browser, "nowhere");
    let console = browser.console();
    assert!(
        console.len() == 1 && console[0].contains("404"),
        "{console:?}"
    );
}

#[test]
fn the_pages_of_a_service_with_tokens_fit_as_well() {
    let home = Home::new();
    home.settings("access = 'writes'");
    let mut service = home.start(&[]);
    let token = service.first_token();
    let create = Request::new("POST", "/v1/fractal").json(&numbered(1));
    let create = create.header("Authorization", &format!("Bearer {token}"));
    let row = service.send(&create).json();
    service.wait_until_all_done(1);
    let picture = format!("/picture/{}", row["uuid"].as_str().unwrap());
    let browser = Browser::start();
    let look = |name: &str, path: &str| {
        visit(&browser, &service, path);
        check(&browser, name);
        assert_quiet(&browser);
    };
    look("guest-gallery", "/");
    look("guest-picture", &picture);
    look("guest-new", "/new");
    look("login", "/login");
    browser.fill("#token", "faafo_wrong");
    browser.click(".login button");
    browser.wait("document.getElementById('token-error').innerText !== ''");
    check(&browser, "login-wrong");
    // The browser itself tells of the 401.
    assert_eq!(browser.console().len(), 1);
    browser.fill("#token", &token);
    browser.click(".login button");
    browser.wait("location.pathname === '/'");
    look("account", "/login");
    look("account-new", "/new");
}

/// Nothing has to be scrolled sideways, at no size.
fn check(browser: &Browser, name: &str) {
    for (device, width, height) in SIZES {
        browser.resize(width, height);
        browser.wait(&format!("innerWidth === {width}"));
        for scheme in ["light", "dark"] {
            let scheme_is = json!({"name": "prefers-color-scheme", "value": scheme});
            let hold_still = json!({"name": "prefers-reduced-motion", "value": "reduce"});
            let features = json!({"features": [scheme_is, hold_still]});
            browser.command("Emulation.setEmulatedMedia", &features);
            save(browser, &format!("{name}-{device}-{scheme}"));
        }
        let needed = browser.eval("document.documentElement.scrollWidth");
        assert!(
            needed.as_u64() <= Some(width.into()),
            "{name} needs {needed} of {width} pixels"
        );
    }
    browser.resize(1440, 900);
}

/// Keeps a picture of the page in `target/screenshots/`.
fn save(browser: &Browser, name: &str) {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../target/screenshots"
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let png = STANDARD.decode(browser.screenshot()).unwrap();
    std::fs::write(folder.join(name).with_extension("png"), png).unwrap();
}
