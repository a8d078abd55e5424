//! Why there is no connection, or no longer.

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError};

/// What the supervisor reports; none of it shows a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// What lapin or the broker says.
    #[error(transparent)]
    Broker(#[from] lapin::Error),
    /// A queue that should deliver messages.
    #[error("queue {0} does not answer")]
    Queue(String),
    /// What we say.
    #[error("{0}")]
    Other(String),
}

impl Trouble {
    pub(crate) fn new(what: impl ToString) -> Self {
        Self::Other(what.to_string())
    }

    /// Whether one queue may be to blame while the broker as such is well.
    pub(crate) fn is_about_a_queue(&self) -> bool {
        match self {
            Self::Queue(_) => true,
            Self::Broker(error) => matches!(error.kind(), ErrorKind::ProtocolError(error)
                if *error.kind() == AMQPErrorKind::Hard(AMQPHardError::INTERNALERROR)),
            Self::Other(_) => false,
        }
    }
}
