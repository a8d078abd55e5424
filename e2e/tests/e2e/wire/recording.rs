//! The recorded cases.

use faafo_e2e::http::Request;
use serde_json::Value;

const RECORDED: &str = include_str!("../../wire/forerunner.jsonl");

/// A request and the original's answer to it.
pub struct Case {
    pub name: String,
    pub status: u16,
    whole: Value,
}

/// All cases, in the order in which they were recorded.
pub fn cases() -> Vec<Case> {
    let cases = RECORDED.lines().map(|line| {
        let whole: Value = serde_json::from_str(line).unwrap();
        Case {
            name: whole["case"].as_str().unwrap().to_owned(),
            status: u16::try_from(whole["response"]["status"].as_u64().unwrap()).unwrap(),
            whole,
        }
    });
    cases.collect()
}

impl Case {
    pub fn method(&self) -> &str {
        self.whole["request"]["method"].as_str().unwrap()
    }

    pub fn path(&self) -> &str {
        self.whole["request"]["path"].as_str().unwrap()
    }

    fn body(&self) -> Option<&str> {
        self.whole["request"]["body"].as_str()
    }

    /// The body that was sent, where it is JSON.
    pub fn sent(&self) -> Value {
        self.body()
            .and_then(|body| serde_json::from_str(body).ok())
            .unwrap_or_default()
    }

    /// The request as it was sent.
    pub fn request(&self) -> Request {
        let mut request = Request::new(self.method(), self.path());
        for (name, value) in self.whole["request"]["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        match self.body() {
            Some(body) => request.body(body),
            None => request,
        }
    }

    /// A header of the answer; it came once.
    pub fn answer_header(&self, name: &str) -> Option<&str> {
        self.whole["response"]["headers"][name][0].as_str()
    }

    /// The answer's JSON.
    pub fn json(&self) -> Option<&Value> {
        self.whole["response"].get("json")
    }

    /// Whether a page of a list was answered.
    pub fn is_list(&self) -> bool {
        self.json()
            .is_some_and(|json| json.get("objects").is_some())
    }
}

/// The rows that the original held when it answered this list. Its state was recorded whole by some of the lists; the
/// requests between, and others that were not recorded, changed it.
pub fn rows_before(cases: &[Case], case: &Case) -> Vec<Value> {
    let snapshot = match case.name.as_str() {
        "list_empty" | "list_after_invalid" | "list_after_cleanup" => case.name.as_str(),
        _ => "list_rpp100",
    };
    let snapshot = cases.iter().find(|case| case.name == snapshot).unwrap();
    snapshot.json().unwrap()["objects"]
        .as_array()
        .unwrap()
        .clone()
}
