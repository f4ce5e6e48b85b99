use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Outcome;

/// Where an order is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Accepted, and being worked on.
    Pending,
    /// Everything it wants is reserved.
    Confirmed,
    /// Something it wants is not to be had; nothing is reserved.
    Rejected,
    /// The classifier calls it suspicious: a person decides.
    InReview,
    /// It could not be processed; its job is a dead letter.
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

    /// Whether an order in this status may go on to `next`.
    ///
    /// The services end an order once; after that only a person's decision about one in review changes it.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => next.ended(),
            Self::InReview => matches!(next, Self::Confirmed | Self::Rejected),
            Self::Confirmed | Self::Rejected | Self::Failed => false,
        }
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

    #[test]
    fn goes_only_forwards() {
        let steps: Vec<_> = OrderStatus::ALL
            .into_iter()
            .flat_map(|from| OrderStatus::ALL.map(|to| (from, to)))
            .filter(|(from, to)| from.may_become(*to))
            .collect();
        let expected = [
            (Pending, Confirmed),
            (Pending, Rejected),
            (Pending, InReview),
            (Pending, Failed),
            (InReview, Confirmed),
            (InReview, Rejected),
        ];
        assert_eq!(steps, expected);
    }
}
