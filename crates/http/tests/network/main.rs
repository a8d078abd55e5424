//! Requests to servers that fail, and signing in, against servers of a few lines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod keystone;
mod requests;
mod server;
