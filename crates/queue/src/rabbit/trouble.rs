//! Why there is no connection, or no longer.

/// What the supervisor reports; none of it shows a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// What lapin or the broker says.
    #[error(transparent)]
    Broker(#[from] lapin::Error),
    /// What we say.
    #[error("{0}")]
    Other(String),
}

impl Trouble {
    pub(crate) fn new(what: impl ToString) -> Self {
        Self::Other(what.to_string())
    }
}
