//! Tells the customer. Idempotent: the primary key of the mails that were sent is the order.

use domain::OrderClassified;
use otel_messaging::{Delivery, Dependency, Handler, HandlerError};

use crate::emails::{Email, Emails, SendError, Sent};
use crate::mailer::SendMailError;

/// Writes to the customer of an order that has ended.
#[derive(Debug)]
pub(crate) struct OrderClassifiedHandler {
    emails: Emails,
}

impl OrderClassifiedHandler {
    pub(crate) fn new(emails: Emails) -> Self {
        Self { emails }
    }
}

impl Handler for OrderClassifiedHandler {
    type Event = OrderClassified;

    fn idempotency_key(&self, event: &OrderClassified) -> String {
        event.order_id.to_string()
    }

    /// Never: a customer must be told, however long the mail server is away.
    fn gives_up(&self) -> bool {
        false
    }

    async fn handle(&self, event: &OrderClassified, _: &Delivery) -> Result<(), HandlerError> {
        match self.emails.send(&Email::about(event)).await {
            Ok(Sent::Now) => tracing::info!(order_id = %event.order_id, "mail sent"),
            Ok(Sent::Before) => tracing::info!(order_id = %event.order_id, "mail was sent before"),
            Err(error) => return Err(decide(error)),
        }
        Ok(())
    }
}

fn decide(error: SendError) -> HandlerError {
    match error {
        SendError::Mail(error @ SendMailError::Refused(_)) => HandlerError::reject(error),
        SendError::Mail(error @ SendMailError::Unavailable(_)) => {
            HandlerError::Retry(anyhow::Error::new(error).context(Dependency("smtp")))
        }
        SendError::Database(error) => {
            HandlerError::Retry(anyhow::Error::new(error).context(Dependency("postgresql")))
        }
    }
}
