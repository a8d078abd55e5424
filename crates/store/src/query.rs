//! Lists of fractals by filter and order: the original interface's query language, as types and as SQL.

use crate::sql::{Sql, marks, sql};
use crate::{Error, Store, outbox, row};
use faafo_model::{Fractal, Uuid};
use sqlx::Row;

/// What to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// All of them must hold.
    pub filter: Option<Filter>,
    /// By these, then by uuid.
    pub order: Vec<(Field, Order)>,
    /// Of each group of equal values only the fractal with the smallest uuid.
    pub group: Vec<Field>,
    /// The most rows, pages together.
    pub limit: Option<u64>,
    /// Rows to leave out at the beginning.
    pub offset: u64,
}

/// A condition on a fractal.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All hold.
    And(Vec<Filter>),
    /// At least one holds.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// The field compares so to the value.
    Value(Field, Compare, Value),
    /// The field compares so to the other field.
    Fields(Field, Compare, Field),
    /// The field is, or is not, among the values.
    Among(Field, bool, Vec<Value>),
    /// The field is, or is not, null.
    Null(Field, bool),
}

/// A value to compare with, of the field's own type.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the types speak for themselves")]
pub enum Value {
    Whole(i64),
    Real(f64),
    Text(String),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the usual comparisons")]
pub enum Compare {
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    /// With `%` for any text and `_` for any character, whatever the case, as in the databases of the original.
    Like,
    /// The same.
    ILike,
    NotLike,
}

/// Which way to sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the usual directions")]
pub enum Order {
    Ascending,
    Descending,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types speak for themselves")]
pub enum Type {
    Whole,
    Real,
    Text,
    Time,
}

macro_rules! fields {
    ($($variant:ident $name:literal $column:literal $type:ident),* $(,)?) => {
        /// A field that can be filtered and sorted by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the fields are those of Fractal")]
        pub enum Field { $($variant),* }

        impl Field {
            /// The field of that name on the wire.
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// What it holds.
            pub fn holds(self) -> Type {
                match self { $(Self::$variant => Type::$type),* }
            }

            fn column(self) -> &'static str {
                match self { $(Self::$variant => $column),* }
            }
        }
    };
}

fields! {
    Uuid "uuid" "uuid" Text, Kind "kind" "kind" Text, Cx "cx" "cx" Real, Cy "cy" "cy" Real, Xa "xa" "xa" Real,
    Xb "xb" "xb" Real, Ya "ya" "ya" Real, Yb "yb" "yb" Real, Width "width" "width" Whole,
    Height "height" "height" Whole, Iterations "iterations" "iterations" Whole, Palette "palette" "palette" Text, Format "format" "format" Text,
    State "state" "state" Text, Attempt "attempt" "attempt" Whole, Progress "progress" "progress" Real,
    Error "error" "error" Text, CreatedAt "created_at" "created_at" Time, FinishedAt "finished_at" "finished_at" Time,
    Duration "duration" "duration" Real, Checksum "checksum" "checksum" Text, Size "size" "size" Whole,
    GeneratedBy "generated_by" "generated_by" Text, Url "url" "url" Text, Image "image" "picture" Text, Priority "priority" "priority" Whole,
}

impl Store {
    /// How many fractals the query finds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, query: &Query) -> Result<u64, Error> {
        let (condition, values) = condition(query.filter.as_ref());
        let count = sql(format!("SELECT COUNT(*) FROM fractals WHERE {condition}"));
        let row = self.backend.row(count.bind_all(values)).await?;
        let found = row.map(|row| row.try_get::<i64, _>(0)).transpose()?;
        let found = u64::try_from(found.unwrap_or(0)).unwrap_or(0);
        let found = found.saturating_sub(query.offset);
        Ok(query.limit.map_or(found, |limit| found.min(limit)))
    }

    /// The fractals from the `first`-th that the query finds, at most `number` of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        query: &Query,
        first: u64,
        number: u64,
    ) -> Result<Vec<Fractal>, Error> {
        let select = select(query, row::COLUMNS, first, number);
        let rows = self.backend.rows(select).await?;
        rows.iter().map(row::read).collect()
    }

    /// The ids of all fractals that the query finds, in order; sixteen bytes each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ids(&self, query: &Query) -> Result<Vec<Uuid>, Error> {
        let select = select(query, "uuid", 0, i64::MAX as u64);
        outbox::ids(&self.backend.rows(select).await?)
    }

    /// The fractals of these ids, in this order; those deleted meanwhile are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get_many(&self, ids: &[Uuid]) -> Result<Vec<Fractal>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let select = sql(format!(
            "SELECT {} FROM fractals WHERE uuid IN ({})",
            row::COLUMNS,
            marks(ids.len())
        ));
        let rows = self.backend.rows(select.bind_all(ids)).await?;
        let fractals = rows
            .iter()
            .map(|row| row::read(row).map(|fractal| (fractal.id, fractal)));
        let mut found = fractals.collect::<Result<std::collections::HashMap<_, _>, _>>()?;
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }
}

fn select(query: &Query, columns: &str, first: u64, number: u64) -> Sql {
    let (mut condition, values) = condition(query.filter.as_ref());
    if !query.group.is_empty() {
        let group: Vec<_> = query.group.iter().map(|field| field.column()).collect();
        let group = group.join(", ");
        condition =
            format!("uuid IN (SELECT MIN(uuid) FROM fractals WHERE {condition} GROUP BY {group})");
    }
    let mut order = String::new();
    for (field, direction) in &query.order {
        // Nulls are the least of all; PostgreSQL would take them for the greatest.
        let column = field.column();
        order += &match direction {
            Order::Ascending => format!("({column} IS NULL) DESC, {column}, "),
            Order::Descending => format!("({column} IS NULL), {column} DESC, "),
        };
    }
    let left = query
        .limit
        .map_or(number, |limit| number.min(limit.saturating_sub(first)));
    let most = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let select = sql(format!(
        "SELECT {columns} FROM fractals WHERE {condition} ORDER BY {order}uuid LIMIT ? OFFSET ?"
    ));
    let select = select.bind_all(values).bind(most(left));
    select.bind(most(first.saturating_add(query.offset)))
}

/// A filter as SQL and the values for its `?`.
fn condition(filter: Option<&Filter>) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let sql = filter.map_or_else(|| "1 = 1".to_owned(), |filter| render(filter, &mut values));
    // Bands are nobody's business.
    (format!("parent IS NULL AND ({sql})"), values)
}

fn render(filter: &Filter, values: &mut Vec<Value>) -> String {
    match filter {
        Filter::And(parts) => join(parts, " AND ", "1 = 1", values),
        Filter::Or(parts) => join(parts, " OR ", "1 = 0", values),
        Filter::Not(part) => format!("NOT ({})", render(part, values)),
        Filter::Value(field, compare, value) => {
            values.push(value.clone());
            comparison(field.column(), *compare, "?")
        }
        Filter::Fields(field, compare, other) => {
            comparison(field.column(), *compare, other.column())
        }
        Filter::Among(field, among, list) if list.is_empty() => {
            // No database takes an empty list; a null is neither among nothing nor outside of it.
            let holds = if *among { "1 = 0" } else { "1 = 1" };
            format!("{} IS NOT NULL AND {holds}", field.column())
        }
        Filter::Among(field, among, list) => {
            values.extend(list.iter().cloned());
            let word = if *among { "IN" } else { "NOT IN" };
            format!("{} {word} ({})", field.column(), marks(list.len()))
        }
        Filter::Null(field, true) => format!("{} IS NULL", field.column()),
        Filter::Null(field, false) => format!("{} IS NOT NULL", field.column()),
    }
}

fn join(parts: &[Filter], word: &str, none: &str, values: &mut Vec<Value>) -> String {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| format!("({})", render(part, values)))
        .collect();
    if parts.is_empty() {
        none.to_owned()
    } else {
        parts.join(word)
    }
}

fn comparison(column: &str, compare: Compare, right: &str) -> String {
    let sign = match compare {
        Compare::Equal => "=",
        Compare::NotEqual => "<>",
        Compare::Greater => ">",
        Compare::Less => "<",
        Compare::AtLeast => ">=",
        Compare::AtMost => "<=",
        Compare::Like | Compare::ILike => return like(column, "LIKE", right),
        Compare::NotLike => return like(column, "NOT LIKE", right),
    };
    format!("{column} {sign} {right}")
}

/// Each database has its own idea of a backslash in a pattern; so it is told another character, which then stands only
/// for itself.
fn like(column: &str, word: &str, right: &str) -> String {
    format!("LOWER({column}) {word} REPLACE(LOWER({right}), '!', '!!') ESCAPE '!'")
}
