//! What goes wrong, as far as callers can do different things about it.

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The URL or the credentials are wrong: tell the operator.
    Config,
    /// There is no such blob.
    NotFound,
    /// The store is full: trying again helps only once there is room.
    Full,
    /// The store is away or failed: try again later.
    Unavailable,
}

/// A failure of the blob store: a kind and its source.
#[derive(Debug, thiserror::Error)]
#[error("storage: {message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The runtime has dropped our work.
    pub(crate) fn stopping() -> Self {
        Self::new(ErrorKind::Unavailable, "the process is stopping")
    }

    pub(crate) fn io(what: &str, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match source.kind() {
            Io::NotFound => ErrorKind::NotFound,
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => ErrorKind::Full,
            _ => ErrorKind::Unavailable,
        };
        Self {
            kind,
            message: format!("{what}: {source}"),
            source: Some(source.into()),
        }
    }
}

impl From<faafo_http::Error> for Error {
    fn from(source: faafo_http::Error) -> Self {
        use faafo_http::ErrorKind as Http;
        let kind = match source.kind() {
            Http::Config => ErrorKind::Config,
            Http::NotFound => ErrorKind::NotFound,
            Http::Full => ErrorKind::Full,
            Http::Rejected | Http::Unavailable => ErrorKind::Unavailable,
        };
        Self {
            kind,
            message: source.to_string(),
            source: Some(source.into()),
        }
    }
}
