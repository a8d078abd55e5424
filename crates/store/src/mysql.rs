//! MariaDB from 10.6 and MySQL from 8.0.

use crate::backend::{Dialect, Types};
use sqlx::mysql::MySqlDatabaseError;

pub(crate) struct MySql;

impl Dialect for MySql {
    fn session(&self) -> &'static [&'static str] {
        // The driver has set UTC and utf8mb4. A transaction whose process was frozen must not hold its locks for long;
        // only MariaDB can end it.
        &[
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ANSI_QUOTES,\
             PIPES_AS_CONCAT', SESSION innodb_lock_wait_timeout = 5 \
             /*M! , SESSION idle_transaction_timeout = 10 */",
        ]
    }

    fn types(&self) -> Types {
        Types {
            text: "LONGTEXT",
            bytes: "LONGBLOB",
            bytewise: "",
            table: " ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            partial_indexes: false,
        }
    }

    fn catalogue(&self) -> &'static str {
        "SELECT CAST(table_name AS CHAR), CAST(column_name AS CHAR) FROM information_schema.columns \
         WHERE table_schema = DATABASE()"
    }

    fn changes_tables_at_once(&self) -> bool {
        true
    }

    fn alone(&self) -> (&'static [&'static str], &'static str) {
        // The server knows one set of names for all databases. Longer than anybody waits here.
        let alone = &["DO GET_LOCK(CONCAT('faafo ', MD5(DATABASE())), 3600)"];
        (alone, "DO RELEASE_LOCK(CONCAT('faafo ', MD5(DATABASE())))")
    }

    fn is_done_already(&self, error: &sqlx::Error) -> bool {
        // The table, column, index or row exists, or the table to be changed has gone; each such statement commits at
        // once, so a crash may come between two.
        let error = error.as_database_error();
        error
            .and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
            .is_some_and(|error| matches!(error.number(), 1050 | 1060 | 1061 | 1062 | 1146))
    }
}
