//! Rows from one database to another, of whatever kinds these are.

use crate::argument::Argument;
use crate::backend::transaction;
use crate::schema::{Column, TABLES, Table, Type};
use crate::sql::{insert, sql};
use crate::{Error, Store};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::HashSet;

/// Rows copied in one transaction.
const BATCH: u32 = 250;

/// What became of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Rows copied.
    pub copied: u64,
    /// Rows that the other database had already.
    pub kept: u64,
}

impl Store {
    /// Copies all rows to another database, but for blobs kept in it and what workers say of themselves. Rows that are
    /// there already stay as they are, so that a copy that broke off can be repeated. Nothing must work on either of the
    /// databases meanwhile. `news` is told how far it is.
    ///
    /// # Errors
    /// When one of the databases fails; then some rows may have been copied.
    pub async fn copy_rows(
        &self,
        to: &Self,
        mut news: impl FnMut(&Copied),
    ) -> Result<Copied, Error> {
        let mut all = Copied::default();
        for table in TABLES.iter().filter(|table| table.moves) {
            let mut after = None;
            while let Some((last, batch)) = self.copy_batch(to, table, after.as_deref()).await? {
                all.copied += batch.copied;
                all.kept += batch.kept;
                after = Some(last);
                news(&all);
            }
        }
        to.reset_counts().await?;
        Ok(all)
    }

    /// Returns the key of the last row, behind which the next batch begins.
    async fn copy_batch(
        &self,
        to: &Self,
        table: &Table,
        after: Option<&[Argument]>,
    ) -> Result<Option<(Vec<Argument>, Copied)>, Error> {
        let columns = table.columns();
        let names: Vec<_> = columns.iter().map(|column| column.name).collect();
        let names = names.join(", ");
        let (beyond, key) = (beyond(table.key, after), table.key.join(", "));
        let query = format!(
            "SELECT {names} FROM {} WHERE {} ORDER BY {key} LIMIT {BATCH}",
            table.name, beyond.0
        );
        let rows = self.backend.rows(sql(query).bind_all(beyond.1)).await?;
        let rows = rows.iter().map(|row| values(row, &columns));
        let rows = rows.collect::<Result<Vec<_>, Error>>()?;
        let key_of = |row: &[Argument]| -> Vec<Argument> {
            let both = columns.iter().zip(row);
            let keys = both.filter(|(column, _)| table.key.contains(&column.name));
            keys.map(|(_, value)| value.clone()).collect()
        };
        let Some(last) = rows.last().map(|row| key_of(row)) else {
            return Ok(None);
        };
        let known = to.known(table, after, &columns, rows.len()).await?;
        let number = rows.len() as u64;
        let new: Vec<_> = rows
            .into_iter()
            .filter(|row| !known.contains(&format!("{:?}", key_of(row))))
            .collect();
        let copied = Copied {
            copied: new.len() as u64,
            kept: number - new.len() as u64,
        };
        if !new.is_empty() {
            let insert = insert(table.name, &names, new);
            transaction!(to.backend, async |work| work.execute(insert.clone()).await)?;
        }
        Ok(Some((last, copied)))
    }

    /// The keys of the first rows behind that one.
    async fn known(
        &self,
        table: &Table,
        after: Option<&[Argument]>,
        columns: &[Column],
        number: usize,
    ) -> Result<HashSet<String>, Error> {
        let keys: Vec<_> = columns
            .iter()
            .filter(|column| table.key.contains(&column.name))
            .collect();
        let names: Vec<_> = keys.iter().map(|column| column.name).collect();
        let (names, key) = (names.join(", "), table.key.join(", "));
        let beyond = beyond(table.key, after);
        let query = format!(
            "SELECT {names} FROM {} WHERE {} ORDER BY {key} LIMIT {number}",
            table.name, beyond.0
        );
        let rows = self.backend.rows(sql(query).bind_all(beyond.1)).await?;
        rows.iter()
            .map(|row| Ok(format!("{:?}", values(row, keys.iter().copied())?)))
            .collect()
    }

    /// Makes the totals those of the rows.
    async fn reset_counts(&self) -> Result<(), Error> {
        let nothing =
            "UPDATE counters SET queued = 0, rendering = 0, done = 0, failed = 0, cancelled = 0";
        let count = crate::counters::COUNT;
        transaction!(self.backend, async |work| {
            work.execute(sql(nothing)).await?;
            work.execute(sql(count)).await.map(drop)
        })
    }
}

/// The condition that a row's key lies behind this one.
fn beyond(key: &[&str], after: Option<&[Argument]>) -> (String, Vec<Argument>) {
    let Some(after) = after else {
        return ("1 = 1".to_owned(), Vec::new());
    };
    let marks = crate::sql::marks(key.len());
    (format!("({}) > ({marks})", key.join(", ")), after.to_vec())
}

fn values<'a>(
    row: &AnyRow,
    columns: impl IntoIterator<Item = &'a Column>,
) -> Result<Vec<Argument>, Error> {
    columns
        .into_iter()
        .enumerate()
        .map(|(place, column)| {
            Ok(match column.holds {
                Type::Name(_) | Type::Text => row.try_get::<Option<String>, _>(place)?.into(),
                Type::Whole => row.try_get::<Option<i64>, _>(place)?.into(),
                Type::Real => row.try_get::<Option<f64>, _>(place)?.into(),
                Type::Bytes => row.try_get::<Option<Vec<u8>>, _>(place)?.into(),
            })
        })
        .collect()
}
