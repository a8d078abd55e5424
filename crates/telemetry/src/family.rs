//! Counters, gauges and histograms, each a family of values told apart by labels. They live in statics; label values
//! must come from a small set, because every combination is kept for as long as the process lives.

use crate::Page;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Something that stands on the page of metrics.
pub(crate) trait Family: Sync {
    fn write(&self, page: &mut Page);
}

/// What every family keeps: values of one kind by the values of its labels.
struct Kept<T, const N: usize> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
    /// Shown even before anything is counted, so that the first increase is seen as one.
    known: &'static [[&'static str; N]],
    values: Mutex<BTreeMap<[String; N], T>>,
}

impl<T: Clone + Default, const N: usize> Kept<T, N> {
    const fn new(
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

    fn change(&self, labels: [&str; N], change: impl FnOnce(&mut T)) {
        change(self.lock().entry(owned(labels)).or_default());
    }

    fn get(&self, labels: [&str; N]) -> T {
        self.lock().get(&owned(labels)).cloned().unwrap_or_default()
    }

    /// Writes the family's title, and each of its values with its labels by `sample`.
    fn write(
        &self,
        page: &mut Page,
        kind: &str,
        mut sample: impl FnMut(&mut Page, Vec<(&'static str, String)>, &T),
    ) {
        page.family(self.name, kind, self.help);
        let mut values = self.lock().clone();
        for known in self.known {
            values.entry(owned(*known)).or_default();
        }
        for (labels, value) in &values {
            let names = self.labels.iter().copied();
            sample(page, names.zip(labels.iter().cloned()).collect(), value);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<[String; N], T>> {
        // Counting can't panic halfway.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owned<const N: usize>(labels: [&str; N]) -> [String; N] {
    labels.map(str::to_owned)
}

/// What only grows.
pub struct Counter<const N: usize = 0>(Kept<u64, N>);

impl<const N: usize> Counter<N> {
    pub(crate) const fn new(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        known: &'static [[&'static str; N]],
    ) -> Self {
        Self(Kept::new(name, help, labels, known))
    }

    /// Counts `number` more under these values of the labels.
    pub fn add(&self, labels: [&str; N], number: u64) {
        self.0.change(labels, |value| *value += number);
    }

    /// What was counted so far under these values of the labels.
    pub fn get(&self, labels: [&str; N]) -> u64 {
        self.0.get(labels)
    }
}

impl<const N: usize> Family for Counter<N> {
    fn write(&self, page: &mut Page) {
        let name = self.0.name;
        self.0.write(page, "counter", |page, labels, value| {
            page.sample(name, &labels, *value as f64);
        });
    }
}

/// What grows and shrinks.
pub struct Gauge<const N: usize = 0>(Kept<i64, N>);

impl<const N: usize> Gauge<N> {
    pub(crate) const fn new(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        known: &'static [[&'static str; N]],
    ) -> Self {
        Self(Kept::new(name, help, labels, known))
    }

    /// One more, for as long as the answer is held.
    pub fn hold(&'static self, labels: [&'static str; N]) -> Held<N> {
        self.0.change(labels, |value| *value += 1);
        Held {
            gauge: self,
            labels,
        }
    }
}

impl<const N: usize> Family for Gauge<N> {
    fn write(&self, page: &mut Page) {
        let name = self.0.name;
        self.0.write(page, "gauge", |page, labels, value| {
            page.sample(name, &labels, *value as f64);
        });
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
        self.gauge.0.change(self.labels, |value| *value -= 1);
    }
}

/// How values are spread.
pub struct Histogram<const N: usize = 0> {
    kept: Kept<Spread, N>,
    /// The upper bounds of the buckets, rising; one without a bound comes last of itself.
    bounds: &'static [f64],
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
            kept: Kept::new(name, help, labels, known),
            bounds,
        }
    }

    /// Counts one more value under these values of the labels.
    pub fn observe(&self, labels: [&str; N], value: f64) {
        self.kept.change(labels, |spread| {
            spread.buckets.resize(self.bounds.len(), 0);
            if let Some(bucket) = self.bounds.iter().position(|bound| value <= *bound) {
                spread.buckets[bucket] += 1;
            }
            spread.count += 1;
            spread.sum += value;
        });
    }
}

impl<const N: usize> Family for Histogram<N> {
    fn write(&self, page: &mut Page) {
        let [bucket, sum, count] =
            ["bucket", "sum", "count"].map(|part| format!("{}_{part}", self.kept.name));
        let bounds = self.bounds;
        self.kept
            .write(page, "histogram", |page, mut labels, spread| {
                let mut below = 0;
                for (index, bound) in bounds.iter().enumerate() {
                    below += spread.buckets.get(index).copied().unwrap_or_default();
                    labels.push(("le", bound.to_string()));
                    page.sample(&bucket, &labels, below as f64);
                    labels.pop();
                }
                labels.push(("le", "+Inf".to_owned()));
                page.sample(&bucket, &labels, spread.count as f64);
                labels.pop();
                page.sample(&sum, &labels, spread.sum);
                page.sample(&count, &labels, spread.count as f64);
            });
    }
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
