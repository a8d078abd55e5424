//! Starts the built executable and looks at it from outside, as its users do: by command line, HTTP, signals and the
//! files it leaves.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a harness fails by panicking, as tests do"
)]

pub mod cluster;
pub mod collector;
mod fractals;
mod home;
pub mod http;
pub mod metrics;
pub mod pictures;
pub mod proxy;
pub mod reader;
pub mod recipe;
pub mod servers;
mod service;
pub mod stores;
pub mod tls;
mod wait;
pub mod webdriver;

pub use home::{Home, complaint, printed};
pub use service::Service;
pub use wait::{PATIENCE, wait_for, wait_until};
