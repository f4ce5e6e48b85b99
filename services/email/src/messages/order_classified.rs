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

    fn idempotency_key(&self, event: &OrderClassified) -> Option<String> {
        Some(event.order_id.to_string())
    }

    async fn handle(&self, event: OrderClassified, _: &Delivery) -> Result<(), HandlerError> {
        match self.emails.send(&Email::about(&event)).await {
            Ok(Sent::Now) => tracing::info!(order_id = %event.order_id, "mail sent"),
            Ok(Sent::Before) => tracing::info!(order_id = %event.order_id, "mail was sent before"),
            Err(error) => return Err(decide(error)),
        }
        Ok(())
    }
}

fn decide(error: SendError) -> HandlerError {
    let (decision, dependency): (fn(anyhow::Error) -> _, _) = match &error {
        SendError::Mail(SendMailError::Refused(_)) => (HandlerError::Reject, "smtp"),
        SendError::Mail(SendMailError::PutOff(_)) => (HandlerError::Retry, "smtp"),
        SendError::Mail(SendMailError::Unavailable(_)) => (HandlerError::Unavailable, "smtp"),
        SendError::Database(error) if web::refuses_data(error) => {
            (HandlerError::Retry, "postgresql")
        }
        SendError::Database(_) => (HandlerError::Unavailable, "postgresql"),
    };
    decision(anyhow::Error::new(error).context(Dependency(dependency)))
}
