//! The rows: fractals, their states and the outbox, in an SQL database.
