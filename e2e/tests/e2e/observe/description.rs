use crate::browser::{assert_quiet, visit};
use faafo_e2e::webdriver::Browser;
use faafo_e2e::{Service, recipe};
use std::process::Command;

const TOOL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/schemathesis.sh");

#[test]
fn no_request_that_the_description_allows_or_forbids_gets_an_answer_that_it_does_not_know() {
    // Not too large: any number of iterations may be asked for.
    let service = Service::start(&["--max-area", "400000", "--threads", "1"]);
    service.create_done(&recipe::small());
    let description = format!("{}/openapi.json", service.url());
    let output = Command::new(TOOL)
        .args(["run", &description, "--seed", "7", "--max-examples", "25"])
        .args(["--generation-database", "none", "--request-timeout", "60"])
        // Whether a valid request is accepted depends on what no schema says: names that are taken, views that are
        // empty, areas that are too large. The stream of live events has no end.
        .args([
            "--checks",
            "all",
            "--exclude-checks",
            "positive_data_acceptance",
        ])
        .args(["--exclude-path", "/v1/events"])
        .current_dir(service.home().path())
        .env("NO_COLOR", "1")
        .output()
        .expect("tools/schemathesis.sh runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let shown: String = said.lines().map(|line| format!("{line:.300}\n")).collect();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}{complaints}");
    let summary = said.lines().find(|line| line.contains(" generated, "));
    let numbers: Vec<u32> = summary
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    assert!(
        numbers.len() == 2 && numbers[0] == numbers[1] && numbers[0] > 1000,
        "{shown}"
    );
}

#[test]
fn every_page_leads_to_the_description_and_it_can_be_tried_there() {
    let service = Service::start(&["--slots", "0"]);
    let browser = Browser::start();
    visit(&browser, &service, "/");
    browser.eval("document.querySelector('.foot a[href=\"/docs\"]').click()");
    browser.wait("document.querySelectorAll('.operation').length >= 19");
    browser.eval("document.querySelector('#createFractal summary').click()");
    browser.wait("document.querySelector('#createFractal textarea')?.value.includes('iterations')");
    browser.eval("document.querySelector('#createFractal .primary').click()");
    let status = "document.querySelector('#createFractal .status')?.textContent";
    browser.wait(&format!("{status}?.startsWith('201')"));
    assert_eq!(service.count("accepted"), 1);
    browser.wait("document.querySelector('#createFractal .answer pre:last-child').textContent.includes('\"queued\"')");
    let uuid = "JSON.parse(document.querySelector('#createFractal .answer pre:last-child').textContent).uuid";
    browser.eval("document.querySelector('#deleteFractal summary').click()");
    browser.wait("document.querySelector('#deleteFractal input')");
    browser.eval(&format!(
        "document.querySelector('#deleteFractal input').value = {uuid}"
    ));
    browser.eval("document.querySelector('#deleteFractal .primary').click()");
    browser.wait("document.querySelector('#deleteFractal .status')?.textContent.startsWith('204')");
    assert_eq!(service.count("accepted"), 0);
    assert_quiet(&browser);
}
