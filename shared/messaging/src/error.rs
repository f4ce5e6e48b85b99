//! What can go wrong with a message, as decisions.

/// The two decisions a handler can make about a message it could not process.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// It may work later: deliver the message again.
    #[error("{0:#}")]
    Retry(anyhow::Error),
    /// It never will: put the message aside.
    #[error("{0:#}")]
    Reject(anyhow::Error),
}

impl HandlerError {
    /// For `map_err`: the cause may pass.
    pub fn retry(cause: impl Into<anyhow::Error>) -> Self {
        Self::Retry(cause.into())
    }

    /// For `map_err`: the cause stays.
    pub fn reject(cause: impl Into<anyhow::Error>) -> Self {
        Self::Reject(cause.into())
    }
}

/// Names the dependency that failed, as context of an [`anyhow::Error`]: `.context(Dependency("inventory"))`.
///
/// It becomes the attribute `orderflow.messaging.failed_dependency` of the `process` span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} failed")]
pub struct Dependency(pub &'static str);

/// A message was not accepted by its broker.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The event cannot be written as JSON, now or later.
    #[error("cannot encode the event: {0}")]
    Encode(#[from] serde_json::Error),
    /// The broker refused the message or did not answer; sending again is safe, and may send it twice.
    #[error("{destination}: {reason}")]
    Broker {
        /// The topic or queue.
        destination: String,
        /// The broker's or the client's words.
        reason: String,
    },
}

/// Why a broker cannot be used: it is away, or does not have the topic or queue.
///
/// Whoever asked knows which one it is and which setting says where.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(pub(crate) String);
