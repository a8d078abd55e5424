//! The whole service, end to end: the built executable as its users meet it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test helpers fail by panicking, as tests do"
)]

mod bad_days;
mod browser;
mod chaos;
mod cluster;
mod defects;
mod events;
mod harness;
mod matrix;
mod migration;
mod numbers;
mod observe;
mod pictures;
mod poison;
mod posters;
mod presence;
mod priorities;
mod security;
mod session;
mod storage;
mod survival;
mod takeover;
mod tidy;
mod wire;
