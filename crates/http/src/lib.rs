//! The client for networks: requests with time limits, tried again where that can help; AWS signatures; OpenStack
//! tokens.

mod builder;
mod client;
mod digest;
mod error;
pub mod keystone;
mod progress;
mod session;
pub mod sign;

pub use builder::builder;
pub use client::{Call, Http, refusal};
pub use digest::{hex, hmac_sha256};
pub use error::{Error, ErrorKind};
pub use session::{Issued, Sessions, SignIn};
