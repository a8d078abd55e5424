//! Lists of fractals by filter and order: the original interface's query language, as types and as SQL.

use crate::fractals;
use crate::schema::recipe_fields;
use crate::sql::{Sql, ids, marks, sql};
use crate::{Error, Store};
use faafo_model::fields::Holds;
pub use faafo_model::fields::Value;
use faafo_model::{Fractal, State, Uuid};
use sqlx::Row;

/// What to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// All of them must hold.
    pub filter: Option<Filter>,
    /// By these, then by uuid in the same direction as by the last of them.
    pub order: Vec<(Field, Order)>,
    /// Of each group of equal values only the fractal with the smallest uuid.
    pub group: Vec<Field>,
    /// The most rows, pages together.
    pub limit: Option<u64>,
    /// Rows to leave out at the beginning.
    pub offset: u64,
}

impl Query {
    /// Whether all that the filter finds is listed, in the order of ids.
    pub fn is_plain(&self) -> bool {
        let unordered = self.order.is_empty() && self.group.is_empty();
        unordered && self.limit.is_none() && self.offset == 0
    }
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

/// A field that can be filtered and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    name: &'static str,
    column: &'static str,
    holds: Type,
    null: bool,
}

const fn field(name: &'static str, holds: Type) -> Field {
    Field {
        name,
        column: name,
        holds,
        null: false,
    }
}

const fn optional(name: &'static str, holds: Type) -> Field {
    Field {
        null: true,
        ..field(name, holds)
    }
}

/// What rows say beside the recipe, whose fields are [`faafo_model::FIELDS`].
const FIELDS: &[Field] = &[
    field("uuid", Type::Text),
    field("state", Type::Text),
    field("attempt", Type::Whole),
    field("progress", Type::Real),
    field("priority", Type::Whole),
    field("created_at", Type::Time),
    optional("error", Type::Text),
    optional("finished_at", Type::Time),
    optional("duration", Type::Real),
    optional("checksum", Type::Text),
    optional("size", Type::Whole),
    optional("generated_by", Type::Text),
    optional("url", Type::Text),
    Field {
        column: "(SELECT r.sha256 FROM blob_references r \
             WHERE r.owner_kind = 'fractal' AND r.owner_id = fractals.uuid AND r.role = 'picture')",
        ..optional("image", Type::Text)
    },
];

impl Field {
    /// The field of that name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        let own = FIELDS.iter().find(|field| field.name == name).copied();
        own.or_else(|| {
            let recipe = recipe_fields().find(|field| field.name == name)?;
            let holds = match recipe.holds {
                Holds::Whole => Type::Whole,
                Holds::Real => Type::Real,
                Holds::Text | Holds::Flag | Holds::Colour | Holds::Gradient => Type::Text,
            };
            let null = recipe.default.is_none() && !recipe.required;
            Some(Self {
                null,
                ..field(recipe.name, holds)
            })
        })
    }

    /// The names of all fields.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let own = FIELDS.iter().map(|field| field.name);
        own.chain(recipe_fields().map(|field| field.name))
    }

    /// What it holds.
    pub fn holds(self) -> Type {
        self.holds
    }
}

/// The most rows that are passed over one by one; beyond it ids are read first, from an index alone.
const FEW: u64 = 1000;

impl Store {
    /// How many fractals the query finds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, query: &Query) -> Result<u64, Error> {
        let found = match &query.filter {
            None => self.counts().await?.accepted(),
            filter => {
                let (condition, values) = condition(filter.as_ref());
                let count = sql(format!("SELECT COUNT(*) FROM fractals WHERE {condition}"));
                let row = self.backend.row(count.bind_all(values)).await?;
                let found = row.map(|row| row.try_get::<i64, _>(0)).transpose()?;
                u64::try_from(found.unwrap_or(0)).unwrap_or(0)
            }
        };
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
        if first.saturating_add(query.offset) > FEW {
            let page = select(query, "uuid", first, number);
            return self.get_many(&ids(&self.backend.rows(page).await?)?).await;
        }
        let select = select(query, fractals::COLUMNS, first, number);
        let rows = self.backend.rows(select).await?;
        rows.iter().map(fractals::read).collect()
    }

    /// The fractals that the filter finds, in the order of their ids, from behind `after` on, at most `number` of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_after(
        &self,
        filter: Option<&Filter>,
        after: Option<Uuid>,
        number: u64,
    ) -> Result<Vec<Fractal>, Error> {
        let (condition, values) = condition(filter);
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let select = sql(format!(
            "SELECT {} FROM fractals WHERE uuid > ? AND ({condition}) ORDER BY uuid LIMIT {number}",
            fractals::COLUMNS
        ));
        let select = select.bind(after).bind_all(values);
        let rows = self.backend.rows(select).await?;
        rows.iter().map(fractals::read).collect()
    }

    /// The ids of all fractals that the query finds, in order; sixteen bytes each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ids(&self, query: &Query) -> Result<Vec<Uuid>, Error> {
        let select = select(query, "uuid", 0, i64::MAX as u64);
        self.backend.ids(select).await
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
            fractals::COLUMNS,
            marks(ids.len())
        ));
        let rows = self.backend.rows(select.bind_all(ids)).await?;
        let fractals = rows
            .iter()
            .map(|row| fractals::read(row).map(|fractal| (fractal.id, fractal)));
        let mut found = fractals.collect::<Result<std::collections::HashMap<_, _>, _>>()?;
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Finished pictures, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newest(&self, limit: u64, offset: u64) -> Result<Vec<Fractal>, Error> {
        let columns = if offset > FEW {
            "uuid"
        } else {
            fractals::COLUMNS
        };
        let query = sql(format!(
            "SELECT {columns} FROM fractals WHERE state = 'done' \
             ORDER BY finished_at DESC, created_at DESC, uuid DESC LIMIT ? OFFSET ?"
        ));
        let rows = self.backend.rows(query.bind(limit).bind(offset)).await?;
        if offset > FEW {
            return self.get_many(&ids(&rows)?).await;
        }
        rows.iter().map(fractals::read).collect()
    }

    /// Unfinished fractals: those being rendered, then those that are queued, each from the oldest on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active(&self, limit: usize) -> Result<Vec<Fractal>, Error> {
        let mut active = Vec::new();
        for state in [State::Rendering, State::Queued] {
            let query = sql(format!(
                "SELECT {} FROM fractals WHERE state = '{state}' AND finished_at IS NULL \
                 ORDER BY created_at, uuid LIMIT {}",
                fractals::COLUMNS,
                limit - active.len()
            ));
            for row in self.backend.rows(query).await? {
                active.push(fractals::read(&row)?);
            }
        }
        Ok(active)
    }
}

fn select(query: &Query, columns: &str, first: u64, number: u64) -> Sql {
    let (mut condition, values) = condition(query.filter.as_ref());
    if !query.group.is_empty() {
        let group: Vec<_> = query.group.iter().map(|field| field.column).collect();
        let group = group.join(", ");
        condition =
            format!("uuid IN (SELECT MIN(uuid) FROM fractals WHERE {condition} GROUP BY {group})");
    }
    let mut order = String::new();
    for (field, direction) in &query.order {
        // Nulls are the least of all; PostgreSQL would take them for the greatest.
        let column = field.column;
        order += &match (direction, field.null) {
            (Order::Ascending, true) => format!("({column} IS NULL) DESC, {column}, "),
            (Order::Descending, true) => format!("({column} IS NULL), {column} DESC, "),
            (Order::Ascending, false) => format!("{column}, "),
            (Order::Descending, false) => format!("{column} DESC, "),
        };
    }
    // The same way as the last field, as indexes can be read.
    let last = match query.order.last() {
        Some((_, Order::Descending)) => "uuid DESC",
        _ => "uuid",
    };
    let left = query
        .limit
        .map_or(number, |limit| number.min(limit.saturating_sub(first)));
    let select = sql(format!(
        "SELECT {columns} FROM fractals WHERE {condition} ORDER BY {order}{last} LIMIT ? OFFSET ?"
    ));
    let select = select.bind_all(values).bind(left);
    select.bind(first.saturating_add(query.offset))
}

/// A filter as SQL and the values for its `?`.
fn condition(filter: Option<&Filter>) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let sql = filter.map_or_else(|| "1 = 1".to_owned(), |filter| render(filter, &mut values));
    (sql, values)
}

fn render(filter: &Filter, values: &mut Vec<Value>) -> String {
    match filter {
        Filter::And(parts) => join(parts, " AND ", "1 = 1", values),
        Filter::Or(parts) => join(parts, " OR ", "1 = 0", values),
        Filter::Not(part) => format!("NOT ({})", render(part, values)),
        Filter::Value(field, compare, value) => {
            values.push(value.clone());
            comparison(field.column, *compare, "?")
        }
        Filter::Fields(field, compare, other) => comparison(field.column, *compare, other.column),
        Filter::Among(field, among, list) if list.is_empty() => {
            // No database takes an empty list; a null is neither among nothing nor outside of it.
            let holds = if *among { "1 = 0" } else { "1 = 1" };
            format!("{} IS NOT NULL AND {holds}", field.column)
        }
        Filter::Among(field, among, list) => {
            values.extend(list.iter().cloned());
            let word = if *among { "IN" } else { "NOT IN" };
            format!("{} {word} ({})", field.column, marks(list.len()))
        }
        Filter::Null(field, true) => format!("{} IS NULL", field.column),
        Filter::Null(field, false) => format!("{} IS NOT NULL", field.column),
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
