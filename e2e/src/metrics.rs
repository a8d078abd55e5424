//! Metrics as Prometheus reads them.

use crate::http::{Connection, Request};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// One reading: values by name and labels, as they stand on the page.
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Reads the page of the process at this address.
    #[track_caller]
    pub fn read(address: SocketAddr) -> Self {
        let answer = Connection::open(address).send(&Request::get("/metrics"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));
        let text = answer.text();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let values = lines.map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        });
        Self(values.collect())
    }

    /// The value of that name and these labels.
    #[track_caller]
    pub fn get(&self, name: &str) -> f64 {
        *self
            .0
            .get(name)
            .unwrap_or_else(|| panic!("no {name} among {:#?}", self.0))
    }

    /// Whether there is such a value.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The sum of a family over all its labels.
    pub fn sum(&self, family: &str) -> f64 {
        let labelled = format!("{family}{{");
        let values = self.0.iter();
        let values = values.filter(|(name, _)| *name == family || name.starts_with(&labelled));
        values.map(|(_, value)| value).sum()
    }
}
