//! Poisonous recipes for tests, in debug builds only: `FAAFO_FAILPOINT=panic@N,abort@M` lets the rendering of every recipe
//! with N iterations panic, and that of every recipe with M iterations take the whole process down.

use faafo_model::Recipe;
use std::io::{self, Write};

/// Passes a picture on until a poisonous one has begun.
pub(crate) struct Failpoint<W> {
    inner: W,
    fault: Option<Fault>,
}

enum Fault {
    Panic,
    Abort,
}

impl<W> Failpoint<W> {
    pub(crate) fn new(inner: W, recipe: &Recipe) -> Self {
        let setting = std::env::var("FAAFO_FAILPOINT").unwrap_or_default();
        let fault = setting
            .split(',')
            .filter_map(|point| point.split_once('@'))
            .find(|(_, iterations)| iterations.parse() == Ok(recipe.iterations))
            .and_then(|(fault, _)| match fault {
                "panic" => Some(Fault::Panic),
                "abort" => Some(Fault::Abort),
                _ => None,
            });
        Self { inner, fault }
    }
}

impl<W: Write> Write for Failpoint<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.fault {
            None => self.inner.write(bytes),
            #[expect(clippy::panic, reason = "that is what it is for")]
            Some(Fault::Panic) => panic!("a poisonous recipe"),
            Some(Fault::Abort) => std::process::abort(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
