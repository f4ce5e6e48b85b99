//! Tells the customer. Idempotent: the primary key of the mails is the order and the status that it reached.

use anyhow::Error;
use domain::OrderEnded;
use otel_messaging::{Delivery, Dependency, ErrorType, Handler, HandlerError};

use crate::email::Email;
use crate::emails::{Emails, SendError, Sent};
use crate::mailer::SendMailError;

/// Writes to the customer of an order that has ended.
#[derive(Debug)]
pub(crate) struct OrderEndedHandler {
    emails: Emails,
    max_attempts: u32,
}

impl OrderEndedHandler {
    /// `max_attempts` are those at a mail that may be at fault itself. One that is put off has the consumer's bound, which
    /// is larger.
    pub(crate) fn new(emails: Emails, max_attempts: u32) -> Self {
        Self {
            emails,
            max_attempts,
        }
    }

    fn decide(&self, error: SendError, delivery: &Delivery) -> HandlerError {
        let given_up = delivery.counted_attempts() >= self.max_attempts;
        let perhaps = if given_up {
            HandlerError::Reject
        } else {
            HandlerError::Retry
        };
        let decision = match &error {
            // Whoever has it is done, or dead and its claim at an end, long before the attempts are.
            SendError::Claimed | SendError::Mail(SendMailError::PutOff(_)) => HandlerError::Retry,
            SendError::Mail(SendMailError::Refused(_)) => HandlerError::Reject,
            SendError::Mail(SendMailError::Doubted(_)) => perhaps,
            SendError::Database(error) if web::refuses_data(error) => perhaps,
            SendError::Mail(SendMailError::Unavailable(_)) | SendError::Database(_) => {
                HandlerError::Unavailable
            }
        };
        decision(described(error))
    }
}

impl Handler for OrderEndedHandler {
    type Event = OrderEnded;

    fn idempotency_key(&self, event: &OrderEnded) -> Option<String> {
        Some(format!("{}/{}", event.order_id, event.status.as_str()))
    }

    async fn handle(&self, event: OrderEnded, delivery: &Delivery) -> Result<(), HandlerError> {
        let order_id = event.order_id;
        match self.emails.send(Email::about(&event)).await {
            Ok(Sent::Now) => tracing::info!(%order_id, "mail sent"),
            Ok(Sent::Before) => tracing::info!(%order_id, "mail was sent before"),
            Err(error) => return Err(self.decide(error, delivery)),
        }
        Ok(())
    }
}

/// With what failed, and how.
fn described(error: SendError) -> Error {
    let (dependency, class) = match &error {
        SendError::Claimed => return Error::new(error).context(ErrorType("claimed")),
        SendError::Mail(error) => ("smtp", error.failure().class),
        SendError::Database(error) => ("postgresql", database_class(error)),
    };
    Error::new(error)
        .context(ErrorType(class))
        .context(Dependency(dependency))
}

fn database_class(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::PoolTimedOut => "timeout",
        sqlx::Error::Database(_) => "database",
        _ => "connection",
    }
}
