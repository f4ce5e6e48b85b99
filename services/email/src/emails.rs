//! What customers are told, and that they are told it once.

use domain::{CustomerId, OrderClassified, OrderId, Outcome};

use crate::mailer::{Mailer, SendMailError};
use crate::repository::EmailRepository;

/// A mail about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email {
    pub(crate) order_id: OrderId,
    pub(crate) recipient: String,
    pub(crate) subject: String,
    pub(crate) body: String,
}

impl Email {
    /// The mail that tells a customer how an order ended.
    pub(crate) fn about(event: &OrderClassified) -> Self {
        let order_id = event.order_id;
        let (subject, sentence) = match event.outcome {
            Outcome::Confirmed => (
                "is confirmed",
                "Your order is confirmed, and on its way soon.",
            ),
            Outcome::Rejected => (
                "was rejected",
                "We are sorry: we do not have all that you ordered.",
            ),
            Outcome::InReview => (
                "is in review",
                "We look at your order, and write again when we have.",
            ),
            Outcome::Failed => (
                "failed",
                "We are sorry: something went wrong with your order.",
            ),
        };
        Self {
            order_id,
            recipient: address(&event.customer_id),
            subject: format!("Your order {order_id} {subject}"),
            body: format!("Hello,\n\n{sentence}\n\nOrder: {order_id}\n"),
        }
    }

    /// The same for every attempt, so that a mail that was sent twice can be recognised as one.
    pub(crate) fn message_id(&self) -> String {
        format!("<{}@orderflow.example.com>", self.order_id)
    }
}

/// A customer's mailbox; their id is made of characters that need no quoting.
fn address(customer: &CustomerId) -> String {
    format!("{customer}@example.com")
}

/// What became of a request to send a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Now,
    Before,
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("the email database failed")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Mail(#[from] SendMailError),
}

/// Sends mails, each once.
#[derive(Debug, Clone)]
pub(crate) struct Emails {
    repository: EmailRepository,
    mailer: Mailer,
}

impl Emails {
    pub(crate) fn new(repository: EmailRepository, mailer: Mailer) -> Self {
        Self { repository, mailer }
    }

    /// Sends `email`, unless one about that order was sent before.
    ///
    /// The claim is committed after the mail server took the mail, so a failure in between never loses a mail.
    /// Dying in exactly that moment sends it again with the same `Message-ID`: SMTP has no better answer.
    pub(crate) async fn send(&self, email: &Email) -> Result<Sent, SendError> {
        let Some(claim) = self.repository.claim(email).await? else {
            return Ok(Sent::Before);
        };
        self.mailer.send(email).await?;
        claim.commit().await?;
        Ok(Sent::Now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(outcome: Outcome) -> OrderClassified {
        OrderClassified {
            order_id: OrderId::generate(),
            customer_id: "vip-ada".parse().unwrap(),
            outcome,
            category: None,
            reason: Some("ITEM-010 is out of stock".to_owned()),
        }
    }

    #[test]
    fn the_subject_says_how_the_order_ended() {
        let subjects = [
            (Outcome::Confirmed, "is confirmed"),
            (Outcome::Rejected, "was rejected"),
            (Outcome::InReview, "is in review"),
            (Outcome::Failed, "failed"),
        ];
        for (outcome, words) in subjects {
            assert!(Email::about(&event(outcome)).subject.ends_with(words));
        }
    }

    #[test]
    fn every_attempt_has_the_same_message_id() {
        let event = event(Outcome::Confirmed);
        assert_eq!(
            Email::about(&event).message_id(),
            Email::about(&event).message_id()
        );
    }
}
