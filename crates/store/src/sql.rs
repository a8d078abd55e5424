//! A statement: its text, with `?` for the arguments, and these.

use crate::Error;
use crate::argument::Argument;
use crate::dialect::Dialect;
use faafo_model::{BlobKey, Uuid};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row};
use std::borrow::Cow;

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
    /// One after the other as one, if there are any.
    pub(crate) fn joined(statements: Vec<Self>) -> Option<Self> {
        statements.into_iter().reduce(|all, next| Self {
            text: format!("{}; {}", all.text, next.text).into(),
            arguments: [all.arguments, next.arguments].concat(),
            recurs: all.recurs && next.recurs,
        })
    }

    /// The rows of all of these, if there are any.
    pub(crate) fn united(queries: impl Iterator<Item = Self>) -> Option<Self> {
        let named = |(number, query): (usize, Self)| {
            let name = format!(") q{number}");
            query.after("SELECT * FROM (").and(&name)
        };
        queries.enumerate().map(named).reduce(|all, next| Self {
            text: format!("{} UNION ALL {}", all.text, next.text).into(),
            arguments: [all.arguments, next.arguments].concat(),
            recurs: all.recurs && next.recurs,
        })
    }

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

/// A whole number, whatever width the database gives a computed one.
pub(crate) fn whole(row: &AnyRow, index: usize) -> Result<i64, Error> {
    let narrow = |_| row.try_get::<i32, _>(index).map(i64::from);
    Ok(row.try_get::<i64, _>(index).or_else(narrow)?)
}

/// A text that must be there.
pub(crate) fn text<I: sqlx::ColumnIndex<AnyRow>>(row: &AnyRow, column: I) -> Result<String, Error> {
    Ok(row.try_get(column)?)
}
