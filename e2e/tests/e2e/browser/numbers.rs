//! Numbers in the pages, which show what they look like.

use super::{assert_quiet, facts, numbered, visit};
use faafo_e2e::webdriver::Browser;
use faafo_e2e::{Service, recipe};
use serde_json::json;

/// Whether there are pictures on the page, and all of them are seen.
const WHOLE: &str =
    "document.images.length > 0 && [...document.images].every((image) => image.naturalWidth > 0)";

#[test]
fn a_picture_s_numbers_are_asked_for_on_its_page_and_no_page_shows_a_broken_picture() {
    let service = Service::start(&[]);
    let id = service.create_done(&recipe::with(
        numbered(0),
        json!({"width": 400, "height": 300, "supersampling": 2}),
    ));
    let browser = Browser::start();
    visit(&browser, &service, &format!("/picture/{id}"));
    browser.click(".actions a[href$='&format=npy']");
    browser.wait("document.getElementById('form')?.elements.format.value === 'npy'");
    browser.click("#create");
    browser.wait("location.pathname.startsWith('/picture/')");
    let path = browser.eval("location.pathname");
    let numbers = path.as_str().unwrap().trim_start_matches("/picture/");
    let row = service.row(numbers);
    assert_eq!(
        (&row["format"], &row["supersampling"]),
        (&json!("npy"), &json!(2))
    );

    browser.wait("document.getElementById('main').dataset.state === 'done'");
    browser.wait(WHOLE);
    assert_eq!(facts(&browser)["Format"], "NumPy (npy)");
    let saved = browser.eval("document.querySelector('.actions .primary').download");
    assert_eq!(saved, format!("{numbers}.npy"));
    assert_quiet(&browser);
    for page in ["/", &format!("/picture/{numbers}")] {
        visit(&browser, &service, page);
        browser.wait(WHOLE);
        assert_quiet(&browser);
    }
    // And back from there to the picture.
    browser.click(".actions a:nth-child(3)");
    browser.wait("document.getElementById('form')?.elements.format.value === ''");
}
