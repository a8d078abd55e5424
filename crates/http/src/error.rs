//! What goes wrong, as far as callers can do different things about it.

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The settings or the credentials are wrong: tell the operator.
    Config,
    /// There is no such thing.
    NotFound,
    /// The server is full: trying again helps only once there is room.
    Full,
    /// The server will not do this: the same request would be refused again.
    Rejected,
    /// The server is away or failed: try again later.
    Unavailable,
}

/// A request that did not end well: a kind and its source.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error without a source.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The same error with what caused it.
    pub(crate) fn caused_by(
        mut self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}
