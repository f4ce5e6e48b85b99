//! What is to become of an order, and who says so.

use domain::{Category, Decider, Finding, Outcome};
use otel_messaging::StoredContext;

/// What is to become of an order.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    /// What kind of order it is, if that was found out.
    pub(crate) category: Option<Category>,
    /// In words for the customer.
    pub(crate) reason: Option<String>,
    pub(crate) decider: Decider,
}

impl Decision {
    /// What a person wants.
    pub(crate) fn by_person(outcome: Outcome) -> Self {
        Self {
            outcome,
            category: None,
            reason: None,
            decider: Decider::Person,
        }
    }

    /// What follows from what was found out; `None` while that is not enough.
    pub(crate) fn by_finding(
        finding: Finding,
        category: Option<Category>,
        reason: Option<String>,
    ) -> Option<Self> {
        let outcome = match finding {
            Finding::Held if category == Some(Category::Suspicious) => Outcome::InReview,
            Finding::Held => Outcome::Confirmed,
            Finding::Short => Outcome::Rejected,
            Finding::GivenUp => Outcome::Failed,
            Finding::NotHeld => return None,
        };
        Some(Self {
            outcome,
            category,
            reason,
            decider: Decider::Finding,
        })
    }

    /// A person decides in a trace of their own, which is linked to the one that the order began in.
    pub(crate) fn link(&self, order: &StoredContext) {
        if self.decider == Decider::Person {
            order.link();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(finding: Finding, category: Option<Category>) -> Option<Outcome> {
        Decision::by_finding(finding, category, None).map(|decision| decision.outcome)
    }

    #[test]
    fn only_what_is_all_held_and_not_suspicious_is_confirmed() {
        for category in Category::ALL.map(Some).into_iter().chain([None]) {
            let held = match category {
                Some(Category::Suspicious) => Outcome::InReview,
                _ => Outcome::Confirmed,
            };
            assert_eq!(outcome(Finding::Held, category), Some(held));
            assert_eq!(outcome(Finding::Short, category), Some(Outcome::Rejected));
            assert_eq!(outcome(Finding::GivenUp, category), Some(Outcome::Failed));
            assert_eq!(outcome(Finding::NotHeld, category), None);
        }
    }
}
