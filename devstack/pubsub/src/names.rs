//! Resource names: `projects/{project}/topics/{topic}` and `projects/{project}/subscriptions/{subscription}`.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// What a subscription says its topic is after the topic was deleted.
pub(crate) const DELETED_TOPIC: &str = "_deleted-topic_";

/// The full name of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TopicName {
    project: String,
    id: String,
}

/// The full name of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SubscriptionName {
    project: String,
    id: String,
}

impl TopicName {
    pub(crate) fn project(&self) -> &str {
        &self.project
    }
}

impl SubscriptionName {
    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl FromStr for TopicName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let (project, id) = parse(name, "topics")?;
        Ok(Self { project, id })
    }
}

impl FromStr for SubscriptionName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let (project, id) = parse(name, "subscriptions")?;
        Ok(Self { project, id })
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "projects/{}/topics/{}", self.project, self.id)
    }
}

impl fmt::Display for SubscriptionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "projects/{}/subscriptions/{}", self.project, self.id)
    }
}

/// The project of `projects/{project}`, the parent in list requests.
pub(crate) fn parse_project(name: &str) -> Result<&str, Error> {
    name.strip_prefix("projects/")
        .filter(|project| !project.is_empty() && !project.contains('/'))
        .ok_or_else(|| invalid_name(name))
}

fn parse(name: &str, collection: &str) -> Result<(String, String), Error> {
    let parts: Vec<&str> = name.split('/').collect();
    match parts[..] {
        ["projects", project, kind, id]
            if kind == collection && !project.is_empty() && is_valid_id(id) =>
        {
            Ok((project.to_owned(), id.to_owned()))
        }
        _ => Err(invalid_name(name)),
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
        assert_eq!(parsed.id(), "order.classified.dlq");
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

    #[test]
    fn a_parent_is_a_project() {
        assert_eq!(parse_project("projects/p").unwrap(), "p");
        assert!(parse_project("p").is_err());
        assert!(parse_project("projects/p/topics").is_err());
    }
}
