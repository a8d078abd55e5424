//! The page of metrics in Prometheus' text format, version 0.0.4.

use crate::{metrics, process};
use async_trait::async_trait;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// The page's media type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// A part that does not answer must not keep the page from being read; Prometheus itself waits for 10 s.
const PATIENCE: Duration = Duration::from_secs(4);

/// What is looked up when somebody reads the page, rather than counted when it happens.
#[async_trait]
pub trait Source: Send + Sync {
    /// The part that is asked, as the label of `faafo_part_up` names it.
    fn part(&self) -> &'static str;

    /// Asks, and writes what it answers. Returns whether it answered.
    async fn write(&self, page: &mut Page) -> bool;

    /// Whether it does now what this process needs it for; writing, where that is needed.
    ///
    /// # Errors
    /// What is wrong with it, in words that anybody may read.
    async fn ready(&self) -> Result<(), &'static str>;
}

/// What a part is said to be that says nothing.
pub const SILENT: &str = "does not answer";

/// The page: all that this process has counted, and what the sources say now.
pub async fn page(sources: &[Arc<dyn Source>]) -> String {
    let mut page = Page::default();
    let asked = ask(sources).await;
    for said in asked.iter().filter_map(|(_, said)| said.as_ref()) {
        page.text.push_str(&said.text);
    }
    if !asked.is_empty() {
        let help = "Whether the part of the service that this process asks answers.";
        page.family("faafo_part_up", "gauge", help);
    }
    for (part, said) in &asked {
        let value = f64::from(u8::from(said.is_some()));
        page.sample("faafo_part_up", &[("part", (*part).to_owned())], value);
    }
    for family in metrics::ALL {
        family.write(&mut page);
    }
    process::write(&mut page);
    page.text
}

/// What keeps this process from working now: each part that does, and why. Nothing if it is ready.
pub async fn unready(sources: &[Arc<dyn Source>]) -> Vec<String> {
    let ready = |source: Arc<dyn Source>| async move { source.ready().await };
    let asked = each(sources, ready).await.into_iter();
    asked
        .filter_map(|(part, said)| {
            let wrong = said.unwrap_or(Err(SILENT)).err()?;
            Some(format!("{part} {wrong}"))
        })
        .collect()
}

/// What each part says.
async fn ask(sources: &[Arc<dyn Source>]) -> Vec<(&'static str, Option<Page>)> {
    let write = |source: Arc<dyn Source>| async move {
        let mut said = Page::default();
        source.write(&mut said).await.then_some(said)
    };
    let asked = each(sources, write).await.into_iter();
    asked.map(|(part, said)| (part, said.flatten())).collect()
}

/// What each part answers to a question, all asked at the same time; nothing if it does not within some seconds.
async fn each<T, F>(
    sources: &[Arc<dyn Source>],
    question: impl Fn(Arc<dyn Source>) -> F,
) -> Vec<(&'static str, Option<T>)>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let asking: Vec<_> = sources
        .iter()
        .map(|source| {
            let answer = question(Arc::clone(source));
            tokio::spawn(tokio::time::timeout(PATIENCE, answer))
        })
        .collect();
    let mut asked = Vec::new();
    for (source, said) in sources.iter().zip(asking) {
        let said = said.await.ok().and_then(Result::ok);
        asked.push((source.part(), said));
    }
    asked
}

/// A page in the making.
#[derive(Default)]
pub struct Page {
    text: String,
}

impl Page {
    /// Begins a family of values: its name, `counter` or `gauge`, and what it means.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a string can't fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One value of the family begun last.
    pub fn sample(&mut self, name: &str, labels: &[(&str, String)], value: f64) {
        self.text.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            let value = value
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            let _ = write!(self.text, "{before}{label}=\"{value}\"");
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{end} {value}");
    }

    #[cfg(test)]
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Part(bool);

    #[async_trait]
    impl Source for Part {
        fn part(&self) -> &'static str {
            "database"
        }

        async fn write(&self, page: &mut Page) -> bool {
            page.sample("rows", &[], 3.0);
            if !self.0 {
                std::future::pending::<()>().await;
            }
            true
        }

        async fn ready(&self) -> Result<(), &'static str> {
            self.write(&mut Page::default()).await;
            Err("is full")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_keeps_from_working_is_named_with_the_reason() {
        let unready = async |answers| unready(&[Arc::new(Part(answers)) as Arc<dyn Source>]).await;
        assert_eq!(unready(true).await, ["database is full"]);
        assert_eq!(unready(false).await, ["database does not answer"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_is_silent_is_down_and_the_page_is_there() {
        let up = page(&[Arc::new(Part(true)) as Arc<dyn Source>]).await;
        assert!(up.contains("rows 3\n") && up.contains("faafo_part_up{part=\"database\"} 1\n"));
        let down = page(&[Arc::new(Part(false)) as Arc<dyn Source>]).await;
        assert!(!down.contains("rows") && down.contains("faafo_part_up{part=\"database\"} 0\n"));
        assert!(down.contains("faafo_accepted_total 0\n"));
    }

    #[tokio::test]
    async fn every_family_has_a_name_with_its_unit_and_a_text() {
        let page = page(&[]).await;
        for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').unwrap();
            assert!(
                name.starts_with("faafo_") || name.starts_with("process_"),
                "{name}"
            );
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
            assert_eq!(page.matches(&format!("# HELP {name} ")).count(), 1);
        }
    }

    #[test]
    fn what_labels_hold_can_t_break_the_page() {
        let mut page = Page::default();
        page.sample("x", &[("a", "\"\\\n".to_owned())], 1.5);
        assert_eq!(page.text, "x{a=\"\\\"\\\\\\n\"} 1.5\n");
    }
}
