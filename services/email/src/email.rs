//! What customers are told.

use domain::{CustomerId, OrderEnded, OrderId, Outcome};

/// A mail about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email {
    pub(crate) order_id: OrderId,
    pub(crate) status: Outcome,
    pub(crate) recipient: String,
    pub(crate) subject: String,
    pub(crate) body: String,
}

impl Email {
    /// The mail that tells a customer which status an order has reached.
    pub(crate) fn about(event: &OrderEnded) -> Self {
        let order_id = event.order_id;
        let (subject, sentence) = words(event.status);
        let reason = event.reason.as_deref();
        let reason = reason.filter(|_| event.status == Outcome::Rejected);
        let reason = reason.map_or(String::new(), |reason| format!("Why: {reason}.\n\n"));
        Self {
            order_id,
            status: event.status,
            recipient: address(&event.customer_id),
            subject: format!("Your order {order_id} {subject}"),
            body: format!("Hello,\n\n{sentence}\n\n{reason}Order: {order_id}\n"),
        }
    }

    /// The same for every attempt, so that a mail that was sent twice can be recognised as one.
    pub(crate) fn message_id(&self) -> String {
        let (order, status) = (self.order_id, self.status.as_str());
        format!("<{order}.{status}@orderflow.example.com>")
    }
}

/// How the subject ends, and what the mail says.
fn words(status: Outcome) -> (&'static str, &'static str) {
    match status {
        Outcome::Confirmed => (
            "is confirmed",
            "Your order is confirmed, and on its way soon.",
        ),
        Outcome::Rejected => (
            "was rejected",
            "We are sorry: you do not get what you ordered.",
        ),
        Outcome::InReview => (
            "is in review",
            "We look at your order, and write again when we have.",
        ),
        Outcome::Failed => (
            "failed",
            "We are sorry: something went wrong with your order. We write again when we know more.",
        ),
    }
}

/// A customer's mailbox; their id is made of characters that need no quoting.
fn address(customer: &CustomerId) -> String {
    format!("{customer}@example.com")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn email(status: Outcome) -> Email {
        Email::about(&OrderEnded {
            order_id: "0198a5c4-7d0e-7cc0-b1a5-6b8f6a1c2d3e".parse().unwrap(),
            customer_id: "vip-ada".parse().unwrap(),
            status,
            category: None,
            reason: Some("ITEM-010 is out of stock".to_owned()),
            sequence: 1,
        })
    }

    #[test]
    fn the_subject_says_which_status_the_order_has_reached() {
        let subjects = [
            (Outcome::Confirmed, "is confirmed"),
            (Outcome::Rejected, "was rejected"),
            (Outcome::InReview, "is in review"),
            (Outcome::Failed, "failed"),
        ];
        for (status, words) in subjects {
            assert!(email(status).subject.ends_with(words));
        }
    }

    #[test]
    fn a_rejected_order_has_its_reason_in_the_mail_and_no_other_has() {
        for status in Outcome::ALL {
            let told = email(status).body.contains("ITEM-010 is out of stock");
            assert_eq!(told, status == Outcome::Rejected, "{status:?}");
        }
    }

    #[test]
    fn every_attempt_has_the_same_message_id_and_every_status_another() {
        let id = email(Outcome::Confirmed).message_id();
        assert_eq!(id, email(Outcome::Confirmed).message_id());
        let ids: HashSet<_> = Outcome::ALL.map(|status| email(status).message_id()).into();
        assert_eq!(ids.len(), Outcome::ALL.len());
    }
}
