//! What can go wrong with a message, as decisions.

use std::borrow::Cow;

/// The decisions a handler can make about a message it could not process.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// Perhaps the message's fault: tried again a bounded number of times, then a dead letter.
    #[error("{0:#}")]
    Retry(anyhow::Error),
    /// The message's fault for good: a dead letter at once.
    #[error("{0:#}")]
    Reject(anyhow::Error),
    /// The world's fault: tried until it works, counted against nothing; the consumer stops receiving meanwhile.
    #[error("{0:#}")]
    Unavailable(anyhow::Error),
}

impl HandlerError {
    /// For `map_err`: it may be the message.
    pub fn retry(cause: impl Into<anyhow::Error>) -> Self {
        Self::Retry(cause.into())
    }

    /// For `map_err`: it is the message.
    pub fn reject(cause: impl Into<anyhow::Error>) -> Self {
        Self::Reject(cause.into())
    }

    /// For `map_err`: it is not the message.
    pub fn unavailable(cause: impl Into<anyhow::Error>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// Why.
    pub fn cause(&self) -> &anyhow::Error {
        match self {
            Self::Retry(cause) | Self::Reject(cause) | Self::Unavailable(cause) => cause,
        }
    }

    /// The class of the cause, for `error.type`: what was attached as [`ErrorType`], else `timeout`, `decode`,
    /// `panic`, the class of a [`SendError`], or `_OTHER`.
    pub fn error_type(&self) -> Cow<'static, str> {
        let cause = self.cause();
        if let Some(ErrorType(class)) = cause.downcast_ref() {
            return Cow::Borrowed(class);
        }
        if let Some(error) = cause.downcast_ref::<SendError>() {
            return Cow::Owned(error.error_type().to_owned());
        }
        if cause.is::<tower::timeout::error::Elapsed>() {
            Cow::Borrowed("timeout")
        } else if cause.is::<Undecodable>() {
            Cow::Borrowed("decode")
        } else if cause.is::<Panicked>() {
            Cow::Borrowed("panic")
        } else {
            Cow::Borrowed("_OTHER")
        }
    }
}

/// What was sent on the way: a message that its broker will never take is the fault of the one that led to it, anything
/// else is the world's.
impl From<SendError> for HandlerError {
    fn from(error: SendError) -> Self {
        if error.is_permanent() {
            Self::Reject(error.into())
        } else {
            Self::Unavailable(error.into())
        }
    }
}

/// Names the dependency that failed, as context of an [`anyhow::Error`]: `.context(Dependency("inventory"))`.
///
/// It becomes the attribute `orderflow.messaging.failed_dependency` of the `process` span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} failed")]
pub struct Dependency(pub &'static str);

/// Names the class of an error, as context of an [`anyhow::Error`]: `.context(ErrorType("decode"))`.
///
/// It becomes `error.type` of the `process` span, so there must be few of them.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/#error-type>
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ErrorType(pub &'static str);

/// The payload is not the event.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub(crate) struct Undecodable(pub(crate) anyhow::Error);

/// The handler, or the codec, panicked.
#[derive(Debug, thiserror::Error)]
#[error("the handler panicked")]
pub(crate) struct Panicked;

/// A message was not accepted by its broker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The event cannot be written, now or later.
    #[error("cannot encode the event: {0:#}")]
    Encode(anyhow::Error),
    /// The broker will never take this message: it is too large, or has something in it that is not allowed.
    #[error("{destination} refuses the message: {reason}")]
    #[non_exhaustive]
    Refused {
        /// The topic or queue.
        destination: String,
        /// The broker's code for why.
        error_type: String,
        /// The broker's or the client's words.
        reason: String,
    },
    /// The broker did not take it or did not answer; sending again is safe, and may send it twice.
    #[error("{destination}: {reason}")]
    #[non_exhaustive]
    Unavailable {
        /// The topic or queue.
        destination: String,
        /// The broker's or the client's code for why.
        error_type: String,
        /// The broker's or the client's words.
        reason: String,
    },
}

impl SendError {
    /// For a place of your own: it will never take this message.
    pub fn refused(destination: &str, error_type: &str, reason: impl Into<String>) -> Self {
        Self::Refused {
            destination: destination.to_owned(),
            error_type: error_type.to_owned(),
            reason: reason.into(),
        }
    }

    /// For a place of your own: it cannot take the message now.
    pub fn unavailable(destination: &str, error_type: &str, reason: impl Into<String>) -> Self {
        Self::Unavailable {
            destination: destination.to_owned(),
            error_type: error_type.to_owned(),
            reason: reason.into(),
        }
    }

    /// Whether it is the message's fault for good, and not the world's.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Unavailable { .. })
    }

    /// The class of the error, for `error.type`.
    pub fn error_type(&self) -> &str {
        match self {
            Self::Encode(_) => "encode",
            Self::Refused { error_type, .. } | Self::Unavailable { error_type, .. } => error_type,
        }
    }
}

/// Why a broker cannot be used: it is away, or does not have the topic or queue.
///
/// Whoever asked knows which one it is and which setting says where.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(pub(crate) String);

impl ConnectError {
    pub(crate) fn new(reason: &impl ToString) -> Self {
        Self(reason.to_string())
    }
}

/// A consumer cannot go on: its queue is gone, it may not read it, or its client has failed for good.
#[derive(Debug, thiserror::Error)]
#[error("cannot receive from {destination} any more: {reason}")]
#[non_exhaustive]
pub struct ReceiveError {
    /// The topics, the queue or the subscription.
    pub destination: String,
    /// The broker's or the client's words.
    pub reason: String,
}
