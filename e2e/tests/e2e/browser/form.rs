//! The form for a new picture.

use super::{assert_quiet, assert_still_and_quiet, drawn, visit};
use faafo_e2e::webdriver::Browser;
use faafo_e2e::{Service, recipe};
use serde_json::json;

#[test]
fn a_starting_point_becomes_a_picture_that_is_awaited_on_its_page() {
    // A long one is in the way, so that the page is seen to wait.
    let service = Service::start(&["--threads", "1", "--slots", "1"]);
    let long = service.create(&recipe::long());
    service.wait_until_state(&long, "rendering");
    let browser = Browser::start();
    visit(&browser, &service, "/new");
    browser.wait(&drawn("#preview"));
    let before = browser.eval("document.getElementById('preview').toDataURL()");
    choose(&browser, "Whole set");
    browser.wait("document.getElementById('form').elements.kind.value === 'mandelbrot'");
    assert_eq!(
        browser.eval("document.getElementById('constant').hidden"),
        true
    );
    browser.fill("[name=width]", "320");
    browser.fill("[name=height]", "240");
    browser.wait(&drawn("#preview"));
    assert_ne!(
        browser.eval("document.getElementById('preview').toDataURL()"),
        before
    );
    assert_still_and_quiet(&browser);

    browser.click("#create");
    browser.wait("location.pathname.startsWith('/picture/')");
    browser.eval("window.marked = true");
    assert_eq!(
        browser.eval("document.getElementById('main').dataset.state"),
        "queued"
    );
    browser.wait(&drawn("#sketch"));
    service.delete(&long);
    browser.wait("document.getElementById('main').dataset.state === 'done'");
    browser.wait("document.querySelector('.frame img').naturalWidth === 320");
    assert_still_and_quiet(&browser);

    let path = browser.eval("location.pathname");
    let id = path.as_str().unwrap().trim_start_matches("/picture/");
    let row = service.row(id);
    assert_eq!(
        (&row["kind"], &row["width"], &row["height"]),
        (&json!("mandelbrot"), &json!(320), &json!(240))
    );
    // Circles are round: as many units to a pixel across as down.
    let span = |from: &str, to: &str| row[to].as_f64().unwrap() - row[from].as_f64().unwrap();
    let ratio = (span("xa", "xb") / 319.0) / (span("ya", "yb") / 239.0);
    assert!((ratio - 1.0).abs() < 1e-3, "{row}");
}

#[test]
fn the_form_begins_with_a_size_that_the_service_takes() {
    let browser = Browser::start();
    for (limit, sides) in [("1000000", "1280x720"), ("100000", "316x316")] {
        let service = Service::start(&["--max-area", limit]);
        visit(&browser, &service, "/new");
        browser.wait(&drawn("#preview"));
        let elements = "document.getElementById('form').elements";
        let size = format!("{elements}.width.value + 'x' + {elements}.height.value");
        assert_eq!(browser.eval(&size), *sides);
        let offered = browser.eval("document.querySelectorAll('#sizes option').length");
        assert!(offered.as_u64().unwrap() <= 3, "{offered}");
        browser.click("#create");
        browser.wait("location.pathname.startsWith('/picture/')");
    }
}

#[test]
fn a_mistake_is_shown_at_its_field_until_it_is_mended() {
    let service = Service::start(&["--max-area", "1000000"]);
    let browser = Browser::start();
    visit(&browser, &service, "/new?width=640&height=480");
    // The server finds the first three, the page itself the others.
    for (field, value, message) in [
        (
            "width",
            "0",
            "Must be a whole number from 1 to 100000, and is 0",
        ),
        (
            "iterations",
            "10000001",
            "Must be a whole number from 1 to 10000000, and is 10000001",
        ),
        (
            "xa",
            "1e101",
            "Must be a finite number from -1e100 to 1e100",
        ),
        ("cx", "", "A number is needed here."),
        ("height", "40000", "At most 1,000,000 pixels in all."),
    ] {
        let input = format!("[name={field}]");
        let good = browser.eval(&format!("document.querySelector('{input}').value"));
        browser.fill(&input, value);
        browser.click("#create");
        browser.wait(&format!(
            "document.getElementById('{field}-error').innerText !== ''"
        ));
        let shown = browser.text(&format!("#{field}-error"));
        assert!(shown.starts_with(message), "{field}: {shown}");
        assert_eq!(browser.eval("document.activeElement.name"), field);
        assert_eq!(
            browser.eval(&format!("document.querySelector('{input}').ariaInvalid")),
            "true"
        );
        browser.fill(&input, good.as_str().unwrap());
        assert_eq!(browser.text(&format!("#{field}-error")), "");
        // The browser itself reports every answer like the server's.
        for line in browser.console() {
            assert!(line.contains("400 (Bad Request)"), "{line}");
        }
    }
}

/// Clicks a starting point.
fn choose(browser: &Browser, name: &str) {
    let names =
        "[...document.querySelectorAll('.preset')].map((button) => button.innerText.trim())";
    browser.wait(&format!("{names}.includes('{name}')"));
    let index = browser.eval(&format!("{names}.indexOf('{name}') + 1"));
    browser.click(&format!(".preset:nth-child({index})"));
    assert_quiet(browser);
}

#[test]
fn what_the_preview_can_not_show_becomes_a_picture_all_the_same() {
    let service = Service::start(&[]);
    let browser = Browser::start();
    visit(
        &browser,
        &service,
        "/new?kind=nova&power=4&palette=gradient&gradient=0:03051a,0.5:ffffff&colouring=slope&supersampling=3&adaptive=true\
         &xa=-2&xb=2&ya=-1.5&yb=1.5&width=80&height=60&iterations=30",
    );
    browser.wait("!document.getElementById('preview-note').hidden");
    browser.click("#create");
    browser.wait("location.pathname.startsWith('/picture/')");
    let path = browser.eval("location.pathname");
    let id = path.as_str().unwrap().trim_start_matches("/picture/");
    let row = service.row(id);
    for (name, value) in [
        ("kind", json!("nova")),
        ("cx", json!(null)),
        ("power", json!(4.0)),
        ("palette", json!("gradient")),
        ("colouring", json!("slope")),
        ("supersampling", json!(3)),
        ("adaptive", json!(true)),
    ] {
        assert_eq!(row[name], value, "{name}");
    }
    assert_eq!(row["gradient"][1]["colour"], "#ffffff");
    // And once more from there.
    browser.wait("document.getElementById('main').dataset.state === 'done'");
    browser.click(".actions a[href^='/new?']");
    browser.wait("location.pathname === '/new'");
    browser
        .wait("document.getElementById('form').elements.gradient.value === '0:03051a,0.5:ffffff'");
    browser.wait("document.getElementById('form').elements.adaptive.checked");
}

/// The parts of a canvas's pixels that are those of a picture of the service.
const SAME: &str = "(() => {
    const { width, height } = document.getElementById('preview');
    const pixels = (source) => {
        const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
        copy.drawImage(source, 0, 0);
        return new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer);
    };
    const [drawn, made] = [document.getElementById('preview'), window.made].map(pixels);
    return drawn.filter((pixel, index) => pixel === made[index]).length / drawn.length;
})()";

#[test]
fn the_preview_is_turned_and_moved_as_the_picture_is() {
    let service = Service::start(&[]);
    let browser = Browser::start();
    // The second one upside down.
    for (rotation, ya, yb) in [(37.0, -1.2, 1.2), (-120.0, 1.0, -1.4)] {
        let query = format!(
            "kind=mandelbrot&palette=classic&iterations=60&width=640&height=480\
             &xa=-2.1&xb=1.1&ya={ya}&yb={yb}&rotation={rotation}"
        );
        visit(&browser, &service, &format!("/new?{query}"));
        browser.wait(&drawn("#preview"));
        // To the right and down, and then nearer.
        browser.eval(
            "['ArrowRight', 'ArrowDown', '+'].forEach((key) =>
                document.getElementById('preview').dispatchEvent(new KeyboardEvent('keydown', { key })))",
        );
        browser.wait("Number(document.getElementById('form').elements.xb.value) !== 1.1");
        let field = |name: &str| {
            let value = format!("Number(document.getElementById('form').elements.{name}.value)");
            browser.eval(&value)
        };
        let id = service.create(&json!({
            "kind": "mandelbrot", "palette": "classic", "iterations": 60, "width": 640, "height": 480,
            "rotation": rotation, "xa": field("xa"), "xb": field("xb"), "ya": field("ya"), "yb": field("yb"),
        }));
        service.wait_until_state(&id, "done");
        browser.eval(&format!(
            "!(window.made = Object.assign(new Image(), {{ src: '/fractal/{id}' }}))"
        ));
        browser.wait("window.made.complete && window.made.naturalWidth === 640");
        browser.wait(&format!("{SAME} > 0.99"));
        let row = service.row(&id);
        let middle = |a: &str, b: &str| (row[a].as_f64().unwrap() + row[b].as_f64().unwrap()) / 2.0;
        let (x, y) = (
            middle("xa", "xb") + 0.5,
            middle("ya", "yb") - (ya + yb) / 2.0,
        );
        // What was to the right of the middle, and below it, is in the middle now.
        let (sin, cos) = (rotation * (yb - ya).signum()).to_radians().sin_cos();
        let (right, down) = (x * cos + y * sin, y * cos - x * sin);
        assert!(right > 0.0 && down * (yb - ya) > 0.0, "{right} {down}");
        assert_quiet(&browser);
    }
}
