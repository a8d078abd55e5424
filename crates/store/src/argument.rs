//! Values that statements are given.

use faafo_model::fields::Value;
use faafo_model::{BlobKey, Timestamp, Uuid};

/// A value for a `?`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Argument {
    Null,
    Whole(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
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
