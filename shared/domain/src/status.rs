use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where an order is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Accepted, and being worked on.
    Pending,
    /// It gets all that it wants, which is kept for it.
    Confirmed,
    /// Something it wants is not to be had, or a person refused it; nothing is held for it.
    Rejected,
    /// It looks suspicious: a person decides. What it wants stays held.
    InReview,
    /// It could not be processed: its job is a dead letter, which can be redriven. What is held for it stays held.
    Failed,
}

/// A text that names no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("status must be one of pending, confirmed, rejected, in_review, failed")]
pub struct UnknownStatus;

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Confirmed,
        Self::Rejected,
        Self::InReview,
        Self::Failed,
    ];

    /// The status as JSON and the database name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::InReview => "in_review",
            Self::Failed => "failed",
        }
    }

    /// Whether the services are done with the order.
    pub fn ended(self) -> bool {
        self != Self::Pending
    }

    /// Whether a decision by `decider` takes an order from this status to `next`.
    ///
    /// Nothing leaves `confirmed` and `rejected`; a failed order is taken on by its redriven job.
    pub fn may_become(self, next: Outcome, decider: Decider) -> bool {
        use Outcome::{Confirmed, Failed, Rejected};
        match (self, decider) {
            (Self::Pending, Decider::Finding) => true,
            (Self::Failed, Decider::Finding) => next != Failed,
            (Self::InReview, Decider::Person) => matches!(next, Confirmed | Rejected),
            // What is in review has all it wants, unless the version before put it there and held nothing.
            (Self::InReview, Decider::Finding) | (Self::Failed, Decider::Person) => {
                next == Rejected
            }
            (Self::Pending, Decider::Person) | (Self::Confirmed | Self::Rejected, _) => false,
        }
    }

    /// The statuses from which a decision by `decider` takes an order to `next`.
    pub fn before(next: Outcome, decider: Decider) -> impl Iterator<Item = Self> {
        let all = Self::ALL.into_iter();
        all.filter(move |status| status.may_become(next, decider))
    }
}

/// Who decides what becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decider {
    /// The orders service, by what was found out about it.
    Finding,
    /// A person who looked at it.
    Person,
}

/// What becomes of an order: a status that a decision leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that it wants is held for it, and it gets it.
    Confirmed,
    /// Something is not to be had, or a person refused it.
    Rejected,
    /// A person must look at it; what it wants stays held.
    InReview,
    /// It could not be processed; what is held for it stays held.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [
        Self::Confirmed,
        Self::Rejected,
        Self::InReview,
        Self::Failed,
    ];

    /// The outcome as JSON and the database name it.
    pub fn as_str(self) -> &'static str {
        OrderStatus::from(self).as_str()
    }
}

impl From<Outcome> for OrderStatus {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Confirmed => Self::Confirmed,
            Outcome::Rejected => Self::Rejected,
            Outcome::InReview => Self::InReview,
            Outcome::Failed => Self::Failed,
        }
    }
}

impl FromStr for OrderStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(UnknownStatus)
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OrderStatus::{Confirmed, Failed, InReview, Pending, Rejected};

    #[test]
    fn is_named_alike_in_json_and_in_text() {
        for status in OrderStatus::ALL {
            assert_eq!(
                serde_json::to_string(&status).unwrap(),
                format!("\"{status}\"")
            );
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert_eq!("PENDING".parse::<OrderStatus>(), Err(UnknownStatus));
    }

    fn steps(decider: Decider) -> Vec<(OrderStatus, Outcome)> {
        let all = OrderStatus::ALL.into_iter();
        let pairs = all.flat_map(|from| Outcome::ALL.map(|to| (from, to)));
        pairs
            .filter(|(from, to)| from.may_become(*to, decider))
            .collect()
    }

    #[test]
    fn what_is_found_out_ends_an_order_and_a_redriven_job_takes_on_a_failed_one() {
        let expected = [
            (Pending, Outcome::Confirmed),
            (Pending, Outcome::Rejected),
            (Pending, Outcome::InReview),
            (Pending, Outcome::Failed),
            (InReview, Outcome::Rejected),
            (Failed, Outcome::Confirmed),
            (Failed, Outcome::Rejected),
            (Failed, Outcome::InReview),
        ];
        assert_eq!(steps(Decider::Finding), expected);
    }

    #[test]
    fn a_person_decides_about_what_waits_for_one() {
        let expected = [
            (InReview, Outcome::Confirmed),
            (InReview, Outcome::Rejected),
            (Failed, Outcome::Rejected),
        ];
        assert_eq!(steps(Decider::Person), expected);
    }

    #[test]
    fn knows_where_a_decision_comes_from() {
        let before: Vec<_> = OrderStatus::before(Outcome::Confirmed, Decider::Finding).collect();
        assert_eq!(before, [Pending, Failed]);
        assert!(![Confirmed, Rejected].iter().any(|end| before.contains(end)));
    }
}
