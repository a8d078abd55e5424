//! What can go wrong, by what the caller can do about it.

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The URL is wrong: tell the operator.
    Config,
    /// The database is away or overloaded: try again later.
    Unavailable,
    /// The database holds something that should not be there: tell the operator.
    Corrupt,
    /// A statement was refused: a defect of ours, or a full disk.
    Refused,
}

/// A failure of the store: a kind and its source.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    source: Option<sqlx::Error>,
}

impl Error {
    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Config,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Corrupt,
            message: message.into(),
            source: None,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let kind = match &source {
            E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => {
                ErrorKind::Unavailable
            }
            E::Configuration(_) => ErrorKind::Config,
            E::ColumnDecode { .. } | E::Decode(_) | E::TypeNotFound { .. } => ErrorKind::Corrupt,
            _ => ErrorKind::Refused,
        };
        Self {
            kind,
            message: format!("database: {source}"),
            source: Some(source),
        }
    }
}
