//! Resource names: `projects/{project}/topics/{topic}` and `projects/{project}/subscriptions/{subscription}`.

use crate::error::Error;

/// The collections that names are of.
pub(crate) const TOPICS: &str = "topics";
pub(crate) const SUBSCRIPTIONS: &str = "subscriptions";

/// Refuses what is no full name in this collection.
/// The rules are those of <https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names>.
pub(crate) fn check(collection: &str, name: &str) -> Result<(), Error> {
    let parts: Vec<&str> = name.split('/').collect();
    match parts[..] {
        ["projects", project, kind, id]
            if kind == collection && !project.is_empty() && is_valid_id(id) =>
        {
            Ok(())
        }
        _ => Err(Error::invalid(format!(
            "Invalid resource name given (name={name})."
        ))),
    }
}

fn is_valid_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+%".contains(&byte);
    (3..=255).contains(&id.len())
        && id.starts_with(|first: char| first.is_ascii_alphabetic())
        && !id.starts_with("goog")
        && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_names_of_a_collection() {
        let name = "projects/orderflow/subscriptions/order.classified.dlq";
        assert_eq!(check(SUBSCRIPTIONS, name), Ok(()));
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
            &"a".repeat(256),
        ] {
            let name = format!("projects/p/topics/{id}");
            assert!(check(TOPICS, &name).is_err(), "{name} was accepted");
        }
    }

    #[test]
    fn rejects_a_subscription_where_a_topic_is_expected() {
        assert!(check(TOPICS, "projects/p/subscriptions/abc").is_err());
        assert!(check(TOPICS, "abc").is_err());
    }
}
