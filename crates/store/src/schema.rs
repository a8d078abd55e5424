//! The tables. What they are made of is data: tables are created, and rows moved to another database, from it.

mod from_6;

use crate::Error;
use crate::backend::{self, Dialect, text, whole};
use faafo_model::FIELDS;
use faafo_model::fields::{Field, Holds, Literal};
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use std::time::{Duration, Instant};

/// The tables' version. Those of version 6 are changed to it; there were no released ones before.
const VERSION: i64 = 7;

/// How many rows a total is spread over where many transactions write at once: none waits for the others' commits.
pub(crate) const SHARDS: i64 = 16;

/// What a column holds. Numbers are 64 bits wide and points in time are microseconds since 1970, so that every database
/// keeps every bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// A text of at most so many characters, compared byte by byte.
    Name(u32),
    Text,
    Whole,
    Real,
    Bytes,
}

/// A column; it may be null if there is a `?` behind its type.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) holds: Type,
    null: bool,
    default: Option<Literal>,
}

/// A table and its indexes.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) key: &'static [&'static str],
    columns: &'static [Column],
    indexes: &'static [Index],
    /// The version of the tables in which it came to be as it is.
    since: i64,
    /// Whether its rows are the service's, and move with it to another database.
    pub(crate) moves: bool,
}

struct Index {
    name: &'static str,
    columns: &'static str,
    unique: bool,
    /// Rows that it is for, where the database can leave out the others.
    only: Option<&'static str>,
}

const fn column(name: &'static str, holds: Type) -> Column {
    Column {
        name,
        holds,
        null: false,
        default: None,
    }
}

const fn optional(name: &'static str, holds: Type) -> Column {
    Column {
        null: true,
        ..column(name, holds)
    }
}

const fn index(name: &'static str, columns: &'static str) -> Index {
    Index {
        name,
        columns,
        unique: false,
        only: None,
    }
}

use Type::{Bytes, Name, Real, Text, Whole};

const ID: Type = Name(36);
const KEY: Type = Name(64);
const WORD: Type = Name(16);

/// What people asked for. Behind these columns there is one for each filterable field of a recipe.
const FRACTALS: &str = "fractals";

pub(crate) const TABLES: &[Table] = &[
    Table {
        name: FRACTALS,
        since: 7,
        key: &["uuid"],
        columns: &[
            column("uuid", ID),
            column("recipe", Text),
            column("priority", Whole),
            column("state", WORD),
            column("attempt", Whole),
            column("progress", Real),
            optional("error", Text),
            column("created_at", Whole),
            optional("finished_at", Whole),
            optional("eta", Real),
            optional("duration", Real),
            optional("checksum", Text),
            optional("size", Whole),
            optional("generated_by", Text),
            optional("url", Text),
        ],
        indexes: &[
            // What has not ended stands in the order in which it came.
            index("fractals_by_end", "state, finished_at, created_at, uuid"),
            index("fractals_by_start", "created_at, uuid"),
            index("fractals_by_kind", "kind, created_at, uuid"),
        ],
        moves: true,
    },
    // Units of work. A task goes when it is done, but for a band: that one goes with its poster's.
    Table {
        name: "tasks",
        since: 7,
        key: &["id"],
        columns: &[
            column("id", ID),
            column("kind", WORD),
            column("owner_kind", WORD),
            column("owner_id", ID),
            // Which part of its owner it is about, as messages have it; and where that begins, to sort by.
            column("part", Text),
            column("place", Whole),
            // Seconds that one core will take, about; 0 if nobody knows.
            column("work", Real),
            // The outbox: what is not published is to be published from `due` on, the least turn (the negated
            // priority) first, then the oldest.
            column("published", Whole),
            column("lane", WORD),
            column("turn", Whole),
            column("since", Whole),
            column("due", Whole),
            column("state", WORD),
            column("attempt", Whole),
            column("first_attempt", Whole),
            column("progress", Real),
            optional("error", Text),
            column("created_at", Whole),
            // When it was heard of last: a worker's lease.
            column("updated_at", Whole),
        ],
        indexes: &[
            Index {
                only: Some("published = 0"),
                ..index("tasks_outbox", "published, lane, turn, since, id")
            },
            Index {
                only: Some("kind = 'band'"),
                ..index("tasks_bands", "kind, owner_id")
            },
            index("tasks_by_state", "state, published, updated_at"),
            index("tasks_by_owner", "owner_id"),
        ],
        moves: true,
    },
    // Every stored object that somebody needs or did: 0 in use, 1 perhaps unused, 2 being deleted. Of those that an
    // earlier version stored the size may be unknown.
    Table {
        name: "blobs",
        since: 7,
        key: &["sha256"],
        columns: &[
            column("sha256", KEY),
            optional("size", Whole),
            column("state", Whole),
            column("claimed_until", Whole),
        ],
        indexes: &[Index {
            only: Some("state > 0"),
            ..index("blobs_by_state", "state")
        }],
        moves: true,
    },
    // Who needs a blob, and as what.
    Table {
        name: "blob_references",
        since: 7,
        key: &["owner_kind", "owner_id", "role"],
        columns: &[
            column("owner_kind", WORD),
            column("owner_id", ID),
            column("role", WORD),
            column("sha256", KEY),
        ],
        indexes: &[index("blob_references_by_blob", "sha256")],
        moves: true,
    },
    // How many of what are in which state: the sum over the shards.
    Table {
        name: "counters",
        since: 7,
        key: &["what", "shard"],
        columns: &[
            column("what", WORD),
            column("shard", Whole),
            column("queued", Whole),
            column("rendering", Whole),
            column("done", Whole),
            column("failed", Whole),
            column("cancelled", Whole),
        ],
        indexes: &[],
        moves: true,
    },
    Table {
        name: "workers",
        since: 1,
        key: &["name"],
        columns: &[
            column("name", Name(255)),
            column("version", Text),
            column("cores", Whole),
            column("host", Text),
            column("tasks", Text),
            column("first_seen", Whole),
            column("last_seen", Whole),
        ],
        indexes: &[],
        moves: false,
    },
    Table {
        name: "tokens",
        since: 1,
        key: &["id"],
        columns: &[
            column("id", ID),
            column("hash", KEY),
            column("scope", Name(32)),
            column("label", Text),
            column("created_at", Whole),
            optional("revoked_at", Whole),
            optional("parent", ID),
            optional("expires_at", Whole),
        ],
        indexes: &[Index {
            unique: true,
            ..index("tokens_by_hash", "hash")
        }],
        moves: true,
    },
    // Blobs kept in the database: an upload becomes a blob when it gets its name.
    Table {
        name: "blob_uploads",
        since: 1,
        key: &["upload"],
        columns: &[
            column("upload", ID),
            optional("sha256", KEY),
            column("size", Whole),
            column("touched_at", Whole),
        ],
        indexes: &[Index {
            unique: true,
            ..index("blob_uploads_by_name", "sha256")
        }],
        moves: false,
    },
    Table {
        name: "blob_data",
        since: 1,
        key: &["upload", "number"],
        columns: &[
            column("upload", ID),
            column("number", Whole),
            column("length", Whole),
            column("bytes", Bytes),
        ],
        indexes: &[],
        moves: false,
    },
];

/// The fields of a recipe that have a column of their own.
pub(crate) fn recipe_fields() -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(|field| field.filterable)
}

impl Table {
    /// Its columns, in their order.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let fixed = self.columns.iter().map(|fixed| Column { ..*fixed });
        let fields = recipe_fields().filter(|_| self.name == FRACTALS);
        fixed.chain(fields.map(of_field)).collect()
    }

    fn create(&self, dialect: &dyn Dialect) -> Vec<String> {
        let columns: Vec<_> = self
            .columns()
            .iter()
            .map(|column| column.definition(dialect))
            .collect();
        let (name, key) = (self.name, self.key.join(", "));
        let (columns, types) = (columns.join(", "), dialect.types());
        let table = format!(
            "CREATE TABLE IF NOT EXISTS {name} ({columns}, PRIMARY KEY ({key})){}",
            types.table
        );
        let indexes = self.indexes.iter().map(|index| {
            let unique = if index.unique { "UNIQUE " } else { "" };
            let only = index.only.filter(|_| types.partial_indexes);
            let only = only.map_or(String::new(), |only| format!(" WHERE {only}"));
            let (index, columns) = (index.name, index.columns);
            format!("CREATE {unique}INDEX {index} ON {name} ({columns}){only}")
        });
        [table].into_iter().chain(indexes).collect()
    }
}

/// A new field's column can be added to rows that know nothing of it: they have its default.
fn of_field(field: &Field) -> Column {
    let holds = match field.holds {
        Holds::Whole => Whole,
        Holds::Real => Real,
        Holds::Text | Holds::Flag | Holds::Colour | Holds::Gradient => Name(32),
    };
    Column {
        name: field.name,
        holds,
        null: field.default.is_none() && !field.required,
        default: field.default,
    }
}

impl Column {
    fn definition(&self, dialect: &dyn Dialect) -> String {
        let (name, types) = (self.name, dialect.types());
        let holds = match self.holds {
            Name(length) => format!("VARCHAR({length}){}", types.bytewise),
            Text => types.text.to_owned(),
            Whole => "BIGINT".to_owned(),
            Real => "DOUBLE PRECISION".to_owned(),
            Bytes => types.bytes.to_owned(),
        };
        let null = if self.null { "" } else { " NOT NULL" };
        let default = match self.default {
            None => String::new(),
            Some(Literal::Whole(number)) => format!(" DEFAULT {number}"),
            Some(Literal::Real(number)) => format!(" DEFAULT {number:?}"),
            Some(Literal::Text(text)) => format!(" DEFAULT '{text}'"),
        };
        format!("{name} {holds}{default}{null}")
    }
}

/// How long to wait for others that change the tables.
const PATIENCE: Duration = Duration::from_secs(60);

/// Brings the tables to the newest version, whoever else tries the same at the same time.
pub(crate) async fn migrate(
    dialect: &'static dyn Dialect,
    target: &AnyConnectOptions,
) -> Result<(), Error> {
    let begun = Instant::now();
    while let Err(error) = migrate_once(dialect, target).await {
        if !error.is_lost_race() || begun.elapsed() > dialect.patience().1 {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn migrate_once(
    dialect: &'static dyn Dialect,
    target: &AnyConnectOptions,
) -> Result<(), Error> {
    let mut connection = backend::connect(dialect, target).await?;
    // Nothing to change, and nobody to wait for.
    if Tables::read(dialect, &mut connection).await?.are_current() {
        return Ok(connection.close().await?);
    }
    let (alone, done) = dialect.alone();
    let waiting = async {
        for statement in alone {
            connection.execute(*statement).await?;
        }
        Ok::<_, Error>(())
    };
    // A connection that is dropped loses its locks and its transaction.
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .map_err(|_| Error::unavailable("database: somebody else is changing the tables"))??;
    change_tables(dialect, &mut connection).await?;
    connection.execute(done).await?;
    connection.close().await?;
    Ok(())
}

/// The tables that a database has.
struct Tables {
    version: i64,
    /// Each table's name with each of its columns.
    columns: Vec<(String, String)>,
}

impl Tables {
    async fn read(dialect: &dyn Dialect, connection: &mut AnyConnection) -> Result<Self, Error> {
        let rows = connection.fetch_all(dialect.catalogue()).await?;
        let columns = rows.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?)));
        let mut tables = Self {
            version: 0,
            columns: columns.collect::<Result<_, Error>>()?,
        };
        if tables.have("faafo_schema") {
            let version = "SELECT COALESCE(MAX(version), 0) FROM faafo_schema";
            tables.version = whole(&connection.fetch_one(version).await?, 0)?;
        }
        Ok(tables)
    }

    fn have(&self, name: &str) -> bool {
        self.columns.iter().any(|(table, _)| table == name)
    }

    /// The fields of a recipe whose column the table of fractals lacks.
    fn missing_fields(&self) -> impl Iterator<Item = &'static Field> {
        let has = |name| {
            let mut columns = self.columns.iter();
            columns.any(|(table, column)| table == FRACTALS && column == name)
        };
        recipe_fields().filter(move |field| !has(field.name))
    }

    fn are_current(&self) -> bool {
        self.version == VERSION && self.missing_fields().next().is_none()
    }
}

async fn change_tables(
    dialect: &'static dyn Dialect,
    connection: &mut AnyConnection,
) -> Result<(), Error> {
    let tables = Tables::read(dialect, connection).await?;
    match tables.version {
        VERSION => {}
        0 => {
            let versions = format!(
                "CREATE TABLE IF NOT EXISTS faafo_schema (version BIGINT NOT NULL PRIMARY KEY){}",
                dialect.types().table
            );
            execute(dialect, connection, versions).await?;
            create(dialect, connection, 0).await?;
            done(dialect, connection).await?;
        }
        6 => {
            from_6::change(dialect, connection, &tables).await?;
            done(dialect, connection).await?;
        }
        older @ ..6 => {
            return Err(Error::config(format!(
                "database_url: the tables are of version {older}, which no release of faafo has made"
            )));
        }
        newer => {
            return Err(Error::config(format!(
                "database_url: the tables are of version {newer}, made by a newer faafo; this one knows {VERSION}"
            )));
        }
    }
    let tables = Tables::read(dialect, connection).await?;
    for field in tables.missing_fields() {
        let column = of_field(field).definition(dialect);
        let add = format!("ALTER TABLE {FRACTALS} ADD COLUMN {column}");
        execute(dialect, connection, add).await?;
    }
    Ok(())
}

/// Makes the tables that came after this version.
async fn create(
    dialect: &dyn Dialect,
    connection: &mut AnyConnection,
    version: i64,
) -> Result<(), Error> {
    let tables = TABLES.iter().filter(|table| table.since > version);
    for statement in tables.flat_map(|table| table.create(dialect)) {
        execute(dialect, connection, statement).await?;
    }
    for shard in 0..SHARDS {
        let insert = format!(
            "INSERT INTO counters (what, shard, queued, rendering, done, failed, cancelled) \
             VALUES ('fractal', {shard}, 0, 0, 0, 0, 0)"
        );
        execute(dialect, connection, insert).await?;
    }
    Ok(())
}

async fn done(dialect: &dyn Dialect, connection: &mut AnyConnection) -> Result<(), Error> {
    let version = format!("INSERT INTO faafo_schema (version) VALUES ({VERSION})");
    execute(dialect, connection, version).await
}

/// Does it, unless it was done before by somebody who got no further.
async fn execute(
    dialect: &dyn Dialect,
    connection: &mut AnyConnection,
    statement: impl Into<String>,
) -> Result<(), Error> {
    match connection.execute(AssertSqlSafe(statement.into())).await {
        Err(error) if !dialect.is_done_already(&error) => Err(error.into()),
        _ => Ok(()),
    }
}
