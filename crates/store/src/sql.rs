//! A statement: its text, with `?` for the arguments, and these.

use crate::Error;
use crate::backend::Dialect;
use faafo_model::fields::Value;
use faafo_model::{BlobKey, Timestamp, Uuid};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row};
use std::borrow::Cow;

/// A value for a `?`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Argument {
    Null,
    Whole(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A statement, put together from this crate's own texts; whatever comes from outside is bound.
#[derive(Debug, Clone)]
pub(crate) struct Sql {
    text: Cow<'static, str>,
    arguments: Vec<Argument>,
    /// Whether a text like this comes again, so that the connection had better remember it.
    recurs: bool,
}

/// A statement with this text.
pub(crate) fn sql(text: impl Into<Cow<'static, str>>) -> Sql {
    Sql {
        text: text.into(),
        arguments: Vec::new(),
        recurs: true,
    }
}

/// A statement that inserts these rows, all of them or none.
pub(crate) fn insert(table: &str, columns: &str, rows: Vec<Vec<Argument>>) -> Sql {
    let values: Vec<_> = rows
        .iter()
        .map(|row| format!("({})", marks(row.len())))
        .collect();
    let text = format!(
        "INSERT INTO {table} ({columns}) VALUES {}",
        values.join(", ")
    );
    let recurs = rows.len() == 1;
    let insert = sql(text).bind_all(rows.into_iter().flatten());
    Sql { recurs, ..insert }
}

/// The ids in a result's first column.
///
/// # Errors
/// One of them is none.
pub(crate) fn ids(rows: &[AnyRow]) -> Result<Vec<Uuid>, Error> {
    let id = |row: &AnyRow| {
        let text: String = row.try_get(0)?;
        Uuid::try_parse(&text).map_err(|_| Error::corrupt(format!("{text:?} is no id")))
    };
    rows.iter().map(id).collect()
}

/// The blobs' names in a result's first column.
///
/// # Errors
/// One of them is none.
pub(crate) fn keys(rows: &[AnyRow]) -> Result<Vec<BlobKey>, Error> {
    rows.iter().map(|row| key(row, 0)).collect()
}

/// The name of a blob.
///
/// # Errors
/// It is none.
pub(crate) fn key<I: sqlx::ColumnIndex<AnyRow>>(row: &AnyRow, column: I) -> Result<BlobKey, Error> {
    let text: String = row.try_get(column)?;
    text.parse()
        .map_err(|_| Error::corrupt(format!("{text:?} is no blob's name")))
}

/// As many `?` as there are values, for `IN (…)`.
pub(crate) fn marks(number: usize) -> String {
    vec!["?"; number].join(", ")
}

impl Sql {
    /// The statement with text before it, without arguments.
    pub(crate) fn after(mut self, text: &str) -> Self {
        self.text.to_mut().insert_str(0, text);
        self
    }

    /// The statement with more text.
    pub(crate) fn and(mut self, text: &str) -> Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// The next argument.
    pub(crate) fn bind(mut self, argument: impl Into<Argument>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The next arguments.
    pub(crate) fn bind_all(mut self, arguments: impl IntoIterator<Item: Into<Argument>>) -> Self {
        let arguments = arguments.into_iter().map(Into::into);
        self.arguments.extend(arguments);
        self
    }

    /// The statement as this database takes it.
    pub(crate) fn prepare(
        self,
        dialect: &dyn Dialect,
    ) -> sqlx::query::Query<'static, Any, sqlx::any::AnyArguments> {
        let mut text = String::with_capacity(self.text.len() + 8 * self.arguments.len());
        let mut pieces = self.text.split('?');
        text += pieces.next().unwrap_or_default();
        let mut number = 0;
        for (piece, argument) in pieces.zip(&self.arguments) {
            // A null is written out: as an argument it would need a type, which a prepared statement keeps for ever.
            if *argument == Argument::Null {
                text += "NULL";
            } else {
                number += 1;
                text += &dialect.placeholder(number, argument);
            }
            text += piece;
        }
        let query = sqlx::query(AssertSqlSafe(text)).persistent(self.recurs);
        self.arguments
            .into_iter()
            .fold(query, |query, argument| match argument {
                Argument::Null => query,
                Argument::Whole(number) => query.bind(number),
                Argument::Real(number) => query.bind(number),
                Argument::Text(text) => query.bind(text),
                Argument::Bytes(bytes) => query.bind(bytes),
            })
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        // PostgreSQL knows no NUL character.
        Self::Text(text.replace('\0', "\u{fffd}"))
    }
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<i64> for Argument {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<u64> for Argument {
    /// What is too large becomes the largest number there is.
    fn from(number: u64) -> Self {
        Self::Whole(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Argument {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<f64> for Argument {
    fn from(number: f64) -> Self {
        // SQLite knows no negative zero; so none of them does.
        Self::Real(number + 0.0)
    }
}

impl From<Vec<u8>> for Argument {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Timestamp> for Argument {
    fn from(time: Timestamp) -> Self {
        Self::Whole(time.0)
    }
}

impl From<Uuid> for Argument {
    fn from(id: Uuid) -> Self {
        Self::Text(id.to_string())
    }
}

impl From<&Uuid> for Argument {
    fn from(id: &Uuid) -> Self {
        Self::Text(id.to_string())
    }
}

impl From<&BlobKey> for Argument {
    fn from(key: &BlobKey) -> Self {
        Self::Text(key.to_string())
    }
}

impl From<Value> for Argument {
    fn from(value: Value) -> Self {
        match value {
            Value::Whole(number) => Self::Whole(number),
            Value::Real(number) => Self::from(number),
            Value::Text(text) => Self::from(text),
        }
    }
}

impl<T: Into<Argument>> From<Option<T>> for Argument {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
