//! Counters, gauges and histograms, each a family of values told apart by labels. They live in statics; label values
//! must come from a small set, because every combination is kept for as long as the process lives.

use crate::Page;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Something that stands on the page of metrics.
pub(crate) trait Family: Sync {
    fn write(&self, page: &mut Page);
}

/// The values of a family by the values of its labels.
type Values<T, const N: usize> = BTreeMap<[String; N], T>;

/// What only grows.
pub struct Counter<const N: usize = 0> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
    /// Shown even before anything is counted, so that the first increase is seen as one.
    known: &'static [[&'static str; N]],
    values: Mutex<Values<u64, N>>,
}

impl<const N: usize> Counter<N> {
    pub(crate) const fn new(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        known: &'static [[&'static str; N]],
    ) -> Self {
        Self {
            name,
            help,
            labels,
            known,
            values: Mutex::new(BTreeMap::new()),
        }
    }

    /// Counts `number` more under these values of the labels.
    pub fn add(&self, labels: [&str; N], number: u64) {
        *lock(&self.values).entry(owned(labels)).or_default() += number;
    }

    /// What was counted so far under these values of the labels.
    pub fn get(&self, labels: [&str; N]) -> u64 {
        lock(&self.values)
            .get(&owned(labels))
            .copied()
            .unwrap_or_default()
    }
}

impl<const N: usize> Family for Counter<N> {
    fn write(&self, page: &mut Page) {
        page.family(self.name, "counter", self.help);
        let mut values = lock(&self.values).clone();
        for known in self.known {
            values.entry(owned(*known)).or_default();
        }
        for (labels, value) in &values {
            page.sample(self.name, &pairs(&self.labels, labels), *value as f64);
        }
    }
}

/// What grows and shrinks.
pub struct Gauge<const N: usize = 0> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
    known: &'static [[&'static str; N]],
    values: Mutex<Values<i64, N>>,
}

impl<const N: usize> Gauge<N> {
    pub(crate) const fn new(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        known: &'static [[&'static str; N]],
    ) -> Self {
        Self {
            name,
            help,
            labels,
            known,
            values: Mutex::new(BTreeMap::new()),
        }
    }

    /// One more, for as long as the answer is held.
    pub fn hold(&'static self, labels: [&'static str; N]) -> Held<N> {
        self.change(labels, 1);
        Held {
            gauge: self,
            labels,
        }
    }

    fn change(&self, labels: [&str; N], by: i64) {
        *lock(&self.values).entry(owned(labels)).or_default() += by;
    }
}

impl<const N: usize> Family for Gauge<N> {
    fn write(&self, page: &mut Page) {
        page.family(self.name, "gauge", self.help);
        let mut values = lock(&self.values).clone();
        for known in self.known {
            values.entry(owned(*known)).or_default();
        }
        for (labels, value) in &values {
            page.sample(self.name, &pairs(&self.labels, labels), *value as f64);
        }
    }
}

/// One of those that a gauge counts; until it is dropped.
#[must_use]
pub struct Held<const N: usize> {
    gauge: &'static Gauge<N>,
    labels: [&'static str; N],
}

impl<const N: usize> Drop for Held<N> {
    fn drop(&mut self) {
        self.gauge.change(self.labels, -1);
    }
}

/// How values are spread.
pub struct Histogram<const N: usize = 0> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
    known: &'static [[&'static str; N]],
    /// The upper bounds of the buckets, rising; one without a bound comes last of itself.
    bounds: &'static [f64],
    values: Mutex<Values<Spread, N>>,
}

#[derive(Clone, Default)]
struct Spread {
    /// One for each bound, those below not included.
    buckets: Vec<u64>,
    count: u64,
    sum: f64,
}

impl<const N: usize> Histogram<N> {
    pub(crate) const fn new(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        known: &'static [[&'static str; N]],
        bounds: &'static [f64],
    ) -> Self {
        Self {
            name,
            help,
            labels,
            known,
            bounds,
            values: Mutex::new(BTreeMap::new()),
        }
    }

    /// Counts one more value under these values of the labels.
    pub fn observe(&self, labels: [&str; N], value: f64) {
        let mut values = lock(&self.values);
        let spread = values.entry(owned(labels)).or_default();
        spread.buckets.resize(self.bounds.len(), 0);
        if let Some(bucket) = self.bounds.iter().position(|bound| value <= *bound) {
            spread.buckets[bucket] += 1;
        }
        spread.count += 1;
        spread.sum += value;
    }
}

impl<const N: usize> Family for Histogram<N> {
    fn write(&self, page: &mut Page) {
        page.family(self.name, "histogram", self.help);
        let mut values = lock(&self.values).clone();
        for known in self.known {
            values.entry(owned(*known)).or_default();
        }
        let [bucket, sum, count] =
            ["bucket", "sum", "count"].map(|part| format!("{}_{part}", self.name));
        for (labels, spread) in &values {
            let mut pairs = pairs(&self.labels, labels);
            let mut below = 0;
            for (index, bound) in self.bounds.iter().enumerate() {
                below += spread.buckets.get(index).copied().unwrap_or_default();
                pairs.push(("le", bound.to_string()));
                page.sample(&bucket, &pairs, below as f64);
                pairs.pop();
            }
            pairs.push(("le", "+Inf".to_owned()));
            page.sample(&bucket, &pairs, spread.count as f64);
            pairs.pop();
            page.sample(&sum, &pairs, spread.sum);
            page.sample(&count, &pairs, spread.count as f64);
        }
    }
}

fn lock<T>(values: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counting can't panic halfway.
    values.lock().unwrap_or_else(PoisonError::into_inner)
}

fn owned<const N: usize>(labels: [&str; N]) -> [String; N] {
    labels.map(str::to_owned)
}

fn pairs<const N: usize>(
    names: &[&'static str; N],
    values: &[String; N],
) -> Vec<(&'static str, String)> {
    names.iter().copied().zip(values.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(family: &dyn Family) -> String {
        let mut page = Page::default();
        family.write(&mut page);
        page.into_text()
    }

    #[test]
    fn a_counter_begins_at_nought_where_its_labels_are_known() {
        static TASKS: Counter<1> = Counter::new("tasks_total", "Tasks.", ["result"], &[["done"]]);
        assert!(written(&TASKS).contains("tasks_total{result=\"done\"} 0\n"));
        TASKS.add(["failed"], 2);
        assert_eq!(
            written(&TASKS),
            "# HELP tasks_total Tasks.\n# TYPE tasks_total counter\n\
             tasks_total{result=\"done\"} 0\ntasks_total{result=\"failed\"} 2\n"
        );
    }

    #[test]
    fn a_gauge_counts_what_is_held() {
        static OPEN: Gauge = Gauge::new("open", "Open.", [], &[[]]);
        let held = (OPEN.hold([]), OPEN.hold([]));
        assert!(written(&OPEN).ends_with("open 2\n"));
        drop(held);
        assert!(written(&OPEN).ends_with("open 0\n"));
    }

    #[test]
    fn the_buckets_of_a_histogram_include_those_below() {
        static TIMES: Histogram = Histogram::new("s", "Seconds.", [], &[[]], &[0.1, 1.0]);
        for value in [0.1, 0.5, 7.0] {
            TIMES.observe([], value);
        }
        assert!(written(&TIMES).ends_with(
            "s_bucket{le=\"0.1\"} 1\ns_bucket{le=\"1\"} 2\ns_bucket{le=\"+Inf\"} 3\ns_sum 7.6\ns_count 3\n"
        ));
    }
}
