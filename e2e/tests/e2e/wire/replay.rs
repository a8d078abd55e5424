//! Replaying the recorded cases, and doing between them what the recording did without recording it.

use super::deviations::{IGNORED_CALLBACK, IMPROVED, OTHER_MESSAGE, REFUSED};
use super::recording::{Case, cases, rows_before};
use super::{includes, oracle};
use faafo_e2e::http::Answer;
use faafo_e2e::{Service, pictures};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

struct Replay<'a> {
    service: &'a Service,
    cases: Vec<Case>,
    /// Names of rows that the original accepted and ours did not.
    absent: BTreeSet<String>,
    /// Checksum and size of the pictures that the recording does not hold and this replay made.
    made: BTreeMap<String, (String, usize)>,
}

/// Sends every case; returns what was answered otherwise than expected.
pub fn replay(service: &Service) -> Vec<String> {
    let mut replay = Replay {
        service,
        cases: cases(),
        absent: BTreeSet::new(),
        made: BTreeMap::new(),
    };
    let mut failures = Vec::new();
    for case in cases() {
        replay.do_what_was_not_recorded(&case.name);
        let answer = service.send(&case.request());
        if let Err(failure) = replay.check(&case, &answer) {
            let (name, status) = (&case.name, answer.status);
            failures.push(format!(
                "{name}: {failure}; answered {status} {}",
                answer.text()
            ));
        }
    }
    failures
}

impl Replay<'_> {
    fn do_what_was_not_recorded(&mut self, before: &str) {
        match before {
            "list_after_invalid" => self.create(2),
            "list_after_cleanup" => {
                let left = &self
                    .cases
                    .iter()
                    .find(|case| case.name == before)
                    .unwrap()
                    .json()
                    .unwrap()["objects"];
                let names = |list: &Value| -> BTreeSet<String> {
                    let rows = list.as_array().unwrap().iter();
                    rows.map(|row| row["uuid"].as_str().unwrap().to_owned())
                        .collect()
                };
                let present =
                    names(&self.service.json("/v1/fractal?results_per_page=-1")["objects"]);
                for id in present.difference(&names(left)) {
                    self.service.delete(id);
                }
            }
            "list_page1" => {
                self.finish(2);
                for number in 4..=26 {
                    self.create(number);
                    self.finish(number);
                }
            }
            _ => {}
        }
    }

    fn create(&self, number: u32) {
        let recipe = json!({"uuid": name(number), "width": 40 + number, "height": 30, "iterations": 20,
            "xa": -1.5, "xb": 1.5, "ya": -1.0, "yb": 1.0});
        self.service.create(&recipe);
    }

    fn finish(&mut self, number: u32) {
        let (id, png) = (name(number), pictures::some_png(40 + number, 30));
        self.service.put(&id, &png);
        self.made.insert(id, (pictures::sha256(&png), png.len()));
    }

    fn check(&mut self, case: &Case, answer: &Answer) -> Result<(), String> {
        let name = case.name.as_str();
        if let Some((_, field, _)) = REFUSED.iter().find(|(refused, ..)| *refused == name) {
            self.absent
                .extend(case.sent()["uuid"].as_str().map(str::to_owned));
            self.absent.extend(
                case.sent()["uuid"]
                    .as_i64()
                    .map(|number| number.to_string()),
            );
            return blames(answer, 400, field);
        }
        if let Some((_, status, field)) = IMPROVED.iter().find(|(improved, ..)| *improved == name) {
            if answer.status == 201 {
                // It stands in no later list.
                self.service.delete(answer.json()["uuid"].as_str().unwrap());
            }
            return match field {
                Some(field) => blames(answer, *status, field),
                None => same("status", answer.status, *status),
            };
        }
        same("status", answer.status, case.status)?;
        if IGNORED_CALLBACK.contains(&name) {
            return same(
                "type",
                answer.header("content-type"),
                Some("application/json"),
            );
        }
        self.check_headers(case, answer)?;
        match case.json() {
            Some(_) if name == OTHER_MESSAGE => blames(answer, 400, "image"),
            Some(_) if case.is_list() => self.check_list(case, answer),
            Some(recorded) => self.check_json(answer, recorded.clone()),
            None if name == "image_done" => self.check_picture(case, answer),
            None => Ok(()),
        }
    }

    fn check_headers(&self, case: &Case, answer: &Answer) -> Result<(), String> {
        let content_type = case.answer_header("Content-Type").unwrap();
        // Of pages and errors only those that are there for programs.
        if content_type != "text/html" {
            same("type", answer.header("content-type"), Some(content_type))?;
        }
        let location = self.here(case.answer_header("Location"));
        same("Location", answer.header("location"), location.as_deref())?;
        let set = |methods: Option<&str>| -> Option<BTreeSet<String>> {
            Some(
                methods?
                    .split(',')
                    .map(|method| method.trim().to_owned())
                    .collect(),
            )
        };
        match set(case.answer_header("Allow")) {
            None => Ok(()),
            expected => same("Allow", set(answer.header("allow")), expected),
        }
    }

    /// The list is the recorded one without the rows that ours refused.
    fn check_list(&self, case: &Case, answer: &Answer) -> Result<(), String> {
        let mut rows = rows_before(&self.cases, case);
        rows.retain(|row| !self.absent.contains(row["uuid"].as_str().unwrap()));
        rows.iter_mut().for_each(|row| self.mend(row));
        let (body, link) = oracle::list(&rows, case.path());
        let link = self.here(Some(&link));
        same("Link", answer.header("link"), link.as_deref())?;
        self.check_json(answer, body)
    }

    fn check_json(&self, answer: &Answer, mut expected: Value) -> Result<(), String> {
        self.mend(&mut expected);
        if includes(&answer.json(), &expected) {
            return Ok(());
        }
        Err(format!("expected {expected}"))
    }

    /// Puts in what belongs to a picture that this replay made.
    fn mend(&self, row: &mut Value) {
        let made = row["uuid"].as_str().and_then(|id| self.made.get(id));
        if let Some((checksum, size)) = made.filter(|_| !row["checksum"].is_null()) {
            row["checksum"] = json!(checksum);
            row["size"] = json!(size);
        }
    }

    /// The picture is the one that a worker sent, byte for byte.
    fn check_picture(&self, case: &Case, answer: &Answer) -> Result<(), String> {
        let id = case.path().trim_start_matches("/fractal/");
        let row = self.service.row(id);
        same(
            "checksum",
            json!(pictures::sha256(&answer.body)),
            row["checksum"].clone(),
        )
    }

    fn here(&self, text: Option<&str>) -> Option<String> {
        Some(text?.replace("{base}", &self.service.url()))
    }
}

fn name(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn blames(answer: &Answer, status: u16, field: &str) -> Result<(), String> {
    same("status", answer.status, status)?;
    let json = answer.json();
    same("field", json["field"].as_str(), Some(field))?;
    let detail = json["detail"].as_str().unwrap_or_default();
    if detail.contains(field) {
        Ok(())
    } else {
        Err(format!("the detail does not name {field}"))
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, actual: T, expected: T) -> Result<(), String> {
    if actual == expected {
        return Ok(());
    }
    Err(format!("expected {what} {expected:?}, not {actual:?}"))
}
