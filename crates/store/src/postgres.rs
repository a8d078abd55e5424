//! PostgreSQL.

use crate::argument::Argument;
use crate::dialect::{Dialect, Types};

pub(crate) struct Postgres;

impl Dialect for Postgres {
    fn session(&self) -> &'static [&'static str] {
        // A transaction whose process was frozen must not hold its locks for long.
        &[
            "SET default_transaction_isolation = 'read committed'; SET lock_timeout = '5s'; \
              SET idle_in_transaction_session_timeout = '10s'; SET TIME ZONE 'UTC'",
        ]
    }

    fn placeholder(&self, number: usize, argument: &Argument) -> String {
        // The server prepares a text once, with the types of its first arguments, and takes the bytes of all later
        // ones for these; so the types are part of the text.
        let of_type = match argument {
            Argument::Null => "",
            Argument::Whole(_) => "::int8",
            Argument::Real(_) => "::float8",
            Argument::Text(_) => "::text",
            Argument::Bytes(_) => "::bytea",
        };
        format!("${number}{of_type}")
    }

    fn begin_hasty(&self) -> &'static str {
        "BEGIN; SET LOCAL synchronous_commit = off"
    }

    fn types(&self) -> Types {
        Types {
            text: "TEXT COLLATE \"C\"",
            bytes: "BYTEA",
            bytewise: " COLLATE \"C\"",
            table: "",
            partial_indexes: true,
        }
    }

    fn catalogue(&self) -> &'static str {
        "SELECT table_name::text, column_name::text FROM information_schema.columns \
         WHERE table_schema = current_schema()"
    }

    fn alone(&self) -> (&'static [&'static str], &'static str) {
        // The number is any that other programs don't use.
        let alone = &[
            "BEGIN",
            "SET LOCAL lock_timeout = 0",
            "SELECT pg_advisory_xact_lock(7018133790143)",
        ];
        (alone, "COMMIT")
    }
}
