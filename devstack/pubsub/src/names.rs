//! Resource names: `projects/{project}/topics/{topic}` and `projects/{project}/subscriptions/{subscription}`.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use crate::error::Error;

/// The full name of a topic.
pub(crate) type TopicName = Name<Topics>;
/// The full name of a subscription.
pub(crate) type SubscriptionName = Name<Subscriptions>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name<K> {
    pub(crate) project: String,
    pub(crate) id: String,
    kind: PhantomData<K>,
}

/// What a name is of.
pub(crate) trait Kind {
    const COLLECTION: &'static str;
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Topics;

impl Kind for Topics {
    const COLLECTION: &'static str = "topics";
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subscriptions;

impl Kind for Subscriptions {
    const COLLECTION: &'static str = "subscriptions";
}

impl<K: Kind> Name<K> {
    pub(crate) fn new(project: &str, id: &str) -> Result<Self, Error> {
        let name = Self {
            project: project.to_owned(),
            id: id.to_owned(),
            kind: PhantomData,
        };
        if project.is_empty() || !is_valid_id(id) {
            return Err(invalid_name(&name.to_string()));
        }
        Ok(name)
    }
}

impl<K: Kind> FromStr for Name<K> {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = name.split('/').collect();
        match parts[..] {
            ["projects", project, kind, id] if kind == K::COLLECTION => Self::new(project, id),
            _ => Err(invalid_name(name)),
        }
    }
}

impl<K: Kind> fmt::Display for Name<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "projects/{}/{}/{}", self.project, K::COLLECTION, self.id)
    }
}

/// The rules of <https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names>.
fn is_valid_id(id: &str) -> bool {
    (3..=255).contains(&id.len())
        && id.starts_with(|first: char| first.is_ascii_alphabetic())
        && !id.starts_with("goog")
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+%".contains(&byte))
}

fn invalid_name(name: &str) -> Error {
    Error::invalid(format!("Invalid resource name given (name={name})."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_printed_as_it_was_read() {
        let name = "projects/orderflow/subscriptions/order.classified.dlq";

        let parsed: SubscriptionName = name.parse().unwrap();

        assert_eq!(parsed.to_string(), name);
        assert_eq!(parsed.id, "order.classified.dlq");
    }

    #[test]
    fn rejects_names_that_break_the_rules() {
        for id in [
            "ab",
            "1abc",
            "google-topic",
            "white space",
            "a/b/c",
            "",
            "é-topic",
        ] {
            let name = format!("projects/p/topics/{id}");
            assert!(name.parse::<TopicName>().is_err(), "{name} was accepted");
        }
        let long = format!("projects/p/topics/{}", "a".repeat(256));
        assert!(long.parse::<TopicName>().is_err());
    }

    #[test]
    fn rejects_a_subscription_where_a_topic_is_expected() {
        assert!("projects/p/subscriptions/abc".parse::<TopicName>().is_err());
        assert!("abc".parse::<TopicName>().is_err());
    }
}
