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
    /// The database has no room left: make some; until then nothing can be written.
    Full,
    /// A statement was refused: a defect of ours.
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
    /// It answered, but another connection may do better.
    stale_connection: bool,
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

    pub(crate) fn full(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Full, message.into())
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
            stale_connection: false,
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

    /// Whether this connection, and probably others that were opened at the same time, are of no more use: they are dead,
    /// or lead to a server that takes no writes any more.
    pub(crate) fn is_of_connection(&self) -> bool {
        self.silence || self.stale_connection
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
        let mut stale_connection = false;
        let (kind, lost_race) = match &source {
            E::Database(error) => {
                let code = code(&**error);
                stale_connection = is_of_connection(&code);
                judge(&code)
            }
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
            stale_connection,
            source: Some(source),
        }
    }
}

/// PostgreSQL's codes have five characters; MySQL's numbers get an M before them here; SQLite's are numbers below ten
/// thousand, the kind in the lowest eight bits.
fn code(error: &dyn DatabaseError) -> String {
    match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => format!("M{}", error.number()),
        None => error.code().unwrap_or_default().into_owned(),
    }
}

/// The kind of an error of SQLite's.
fn of_sqlite(code: &str) -> Option<u32> {
    let number: u32 = code.parse().ok().filter(|_| code.len() < 5)?;
    Some(number % 256)
}

/// Whether what was refused on this connection may succeed on a new one: the server can only be read, as after a failover
/// that has left old connections at what is a replica now; or SQLite can't open, read or write its files.
fn is_of_connection(code: &str) -> bool {
    let is_read_only = matches!(code, "25006" | "M1290" | "M1792" | "M1836");
    is_read_only || matches!(of_sqlite(code), Some(8 | 10 | 14))
}

/// What a database's refusal means, and whether it is a lost race.
fn judge(code: &str) -> (ErrorKind, bool) {
    match code {
        // Serialization failure, deadlock, waited too long for a lock.
        "40001" | "40P01" | "55P03" | "M1020" | "M1205" | "M1213" => (ErrorKind::Unavailable, true),
        code if matches!(of_sqlite(code), Some(5 | 6)) => (ErrorKind::Unavailable, true),
        // Wrong user, password or database.
        "3D000" | "M1044" | "M1045" | "M1049" | "M1698" => (ErrorKind::Config, false),
        code if code.len() == 5 && code.starts_with("28") => (ErrorKind::Config, false),
        // Starting, stopping, no connection left, connection or transaction killed.
        "57P01" | "57P02" | "57P03" | "57014" | "25P03" | "53300" | "53400" | "M1040" | "M1053"
        | "M1203" | "M1317" | "M1927" | "M4031" => (ErrorKind::Unavailable, false),
        code if code.len() == 5 && code.starts_with("08") => (ErrorKind::Unavailable, false),
        // No room on the disk, in a table's file, for a write.
        "53100" | "M1021" | "M1026" | "M1114" => (ErrorKind::Full, false),
        code if of_sqlite(code) == Some(13) => (ErrorKind::Full, false),
        code if is_of_connection(code) => (ErrorKind::Unavailable, false),
        _ => (ErrorKind::Refused, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_different_databases_are_not_mixed_up() {
        for (code, kind, lost_race) in [
            ("40P01", ErrorKind::Unavailable, true),
            ("M1213", ErrorKind::Unavailable, true),
            ("517", ErrorKind::Unavailable, true),
            ("53100", ErrorKind::Full, false),
            ("M1114", ErrorKind::Full, false),
            ("13", ErrorKind::Full, false),
            ("23505", ErrorKind::Refused, false),
            ("M1032", ErrorKind::Refused, false),
            ("1032", ErrorKind::Unavailable, false),
            ("28P01", ErrorKind::Config, false),
            ("1555", ErrorKind::Refused, false),
        ] {
            assert_eq!(judge(code), (kind, lost_race), "{code}");
        }
        for code in ["25006", "M1290", "M1792", "M1836", "8", "778", "14"] {
            assert!(is_of_connection(code), "{code}");
            assert_eq!(judge(code), (ErrorKind::Unavailable, false), "{code}");
        }
        for code in ["M1034", "40001", "13", "M1114", "5"] {
            assert!(!is_of_connection(code), "{code}");
        }
    }
}
