//! What can go wrong, by what the caller can do about it.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use std::time::Duration;

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
    /// Another transaction was quicker: the same one begun anew will probably succeed.
    lost_race: bool,
    /// The database did not answer at all.
    silence: bool,
    #[source]
    source: Option<sqlx::Error>,
}

impl Error {
    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message.into())
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message.into())
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message.into())
    }

    pub(crate) fn silence(patience: Duration) -> Self {
        let message = format!("database: no answer within {} s", patience.as_secs());
        Self {
            silence: true,
            ..Self::unavailable(message)
        }
    }

    fn new(kind: ErrorKind, message: String) -> Self {
        Self {
            kind,
            message,
            lost_race: false,
            silence: false,
            source: None,
        }
    }

    /// The same once more, for another one who asked for the same.
    pub(crate) fn copied(&self) -> Self {
        Self {
            lost_race: self.lost_race,
            silence: self.silence,
            ..Self::new(self.kind, self.message.clone())
        }
    }

    /// Whether there is a row with that key already.
    pub(crate) fn is_duplicate(&self) -> bool {
        matches!(&self.source, Some(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// Whether the same transaction, begun anew, will probably succeed.
    pub(crate) fn is_lost_race(&self) -> bool {
        self.lost_race
    }

    /// Whether the connection is probably dead.
    pub(crate) fn is_silence(&self) -> bool {
        self.silence
    }

    /// A duplicate can only come from another transaction that inserted the row since this one looked.
    pub(crate) fn duplicate_is_lost_race(mut self) -> Self {
        self.lost_race |= self.is_duplicate();
        self
    }
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let (kind, lost_race) = match &source {
            E::Database(error) => judge(&**error),
            E::Io(_) | E::Tls(_) | E::Protocol(_) => (ErrorKind::Unavailable, false),
            E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => (ErrorKind::Unavailable, false),
            E::Configuration(_) => (ErrorKind::Config, false),
            E::ColumnDecode { .. } | E::Decode(_) | E::TypeNotFound { .. } => {
                (ErrorKind::Corrupt, false)
            }
            _ => (ErrorKind::Refused, false),
        };
        Self {
            kind,
            message: format!("database: {source}"),
            lost_race,
            silence: false,
            source: Some(source),
        }
    }
}

/// What a database's refusal means, and whether it is a lost race. PostgreSQL's codes have five characters, MySQL's
/// are numbers from 1000, SQLite's are small numbers or those plus a multiple of 256.
fn judge(error: &dyn DatabaseError) -> (ErrorKind, bool) {
    let code = match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => error.number().to_string(),
        None => error.code().unwrap_or_default().into_owned(),
    };
    match code.as_str() {
        // Serialization failure, deadlock, waited too long for a lock.
        "40001" | "40P01" | "55P03" | "1020" | "1205" | "1213" | "5" | "6" | "261" | "517" => {
            (ErrorKind::Unavailable, true)
        }
        // Wrong user, password or database.
        "3D000" | "1044" | "1045" | "1049" | "1698" => (ErrorKind::Config, false),
        code if code.len() == 5 && code.starts_with("28") => (ErrorKind::Config, false),
        // Starting, stopping, no connection left, connection or transaction killed, only a replica.
        "57P01" | "57P02" | "57P03" | "57014" | "25006" | "25P03" | "53300" | "53400" | "1040"
        | "1053" | "1203" | "1290" | "1317" | "1836" | "1927" | "4031" => {
            (ErrorKind::Unavailable, false)
        }
        code if code.len() == 5 && code.starts_with("08") => (ErrorKind::Unavailable, false),
        _ => (ErrorKind::Refused, false),
    }
}
