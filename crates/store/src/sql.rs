//! A statement: its text, with `?` for the arguments, and these.

use crate::backend::Dialect;
use crate::query::Value;
use faafo_model::{BlobKey, Timestamp, Uuid};
use sqlx::{Any, AssertSqlSafe};
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
}

/// A statement with this text.
pub(crate) fn sql(text: impl Into<Cow<'static, str>>) -> Sql {
    Sql {
        text: text.into(),
        arguments: Vec::new(),
    }
}

/// As many `?` as there are values, for `IN (…)`.
pub(crate) fn marks(number: usize) -> String {
    vec!["?"; number].join(", ")
}

impl Sql {
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
        let query = sqlx::query(AssertSqlSafe(text));
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
