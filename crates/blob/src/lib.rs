//! Stored pictures by the SHA-256 of their content.
