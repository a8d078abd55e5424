//! The pages in a real browser.

mod form;
mod gallery;
mod looks;
mod numbers;
mod picture;

use faafo_e2e::webdriver::Browser;
use faafo_e2e::{Service, recipe};
use serde_json::{Value, json};

/// Opens a page of the service and marks it, so that it can be told from the same page loaded anew.
#[track_caller]
pub(crate) fn visit(browser: &Browser, service: &Service, path: &str) {
    browser.goto(&format!("{}{path}", service.url()));
    browser.eval("window.marked = true");
}

/// The page was neither left nor loaded anew since [`visit`], and no page said a word on the console.
#[track_caller]
fn assert_still_and_quiet(browser: &Browser) {
    assert_eq!(
        browser.eval("window.marked"),
        true,
        "the page was loaded anew"
    );
    assert_quiet(browser);
}

#[track_caller]
pub(crate) fn assert_quiet(browser: &Browser) {
    assert_eq!(browser.console(), [""; 0]);
}

/// The names of the fractals that a list on the page shows.
fn shown(browser: &Browser, list: &str) -> Vec<String> {
    let names = browser.eval(&format!(
        "[...document.querySelectorAll('{list} > li')].map((item) => item.dataset.uuid)"
    ));
    serde_json::from_value(names).unwrap()
}

/// The table of parameters.
fn facts(browser: &Browser) -> Value {
    let rows = "[...document.querySelectorAll('.facts > div')]";
    browser.eval(&format!(
        "Object.fromEntries({rows}.map((row) => [...row.children].map((cell) => cell.innerText)))"
    ))
}

/// Whether something is drawn on a canvas: more than a few colours.
fn drawn(css: &str) -> String {
    format!(
        "(() => {{
            const canvas = document.querySelector('{css}');
            if (!canvas) return false;
            const {{ width, height }} = canvas;
            const copy = new OffscreenCanvas(width, height).getContext('2d', {{ willReadFrequently: true }});
            copy.drawImage(canvas, 0, 0);
            const pixels = new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer);
            return new Set(pixels).size > 50;
        }})()"
    )
}

/// A picture that is done at once and like no other.
pub(crate) fn numbered(number: u32) -> Value {
    let changes = json!({"kind": "julia", "cx": -0.8 + f64::from(number) / 1000.0, "cy": 0.156});
    recipe::with(recipe::small(), changes)
}
