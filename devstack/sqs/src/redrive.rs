//! Where a queue's dead letters go, and the resource names in which that is said.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{error::Error, limits};

/// The account that owns every queue here.
pub(crate) const ACCOUNT: &str = "000000000000";
const REGION: &str = "us-east-1";

/// The resource name of a queue.
pub(crate) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
}

/// The queue that a resource name means, whatever region or partition it names: there is one here.
fn queue_of_arn(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts[..] {
        ["arn", _, "sqs", _, _, queue] if !queue.is_empty() => Some(queue),
        _ => None,
    }
}

/// Where the messages of a queue go that were received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedrivePolicy {
    pub(crate) dead_letter_queue: String,
    pub(crate) max_receive_count: u32,
}

impl RedrivePolicy {
    /// Reads the attribute; an empty text means no policy.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, Error> {
        if text.is_empty() {
            return Ok(None);
        }
        let invalid = || {
            let reason = format!("Value {text} for parameter RedrivePolicy is invalid.");
            Error::InvalidAttributeValue(reason)
        };
        let policy = Self::from_json(text).ok_or_else(invalid)?;
        Ok(Some(policy))
    }

    fn from_json(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Policy {
            dead_letter_target_arn: String,
            max_receive_count: Value,
        }
        let policy: Policy = serde_json::from_str(text).ok()?;
        // Tools write the count as a number and as a text; AWS takes both.
        let count = match &policy.max_receive_count {
            Value::String(count) => count.parse().ok(),
            count => count.as_u64(),
        };
        let count = count.filter(|count| limits::MAX_RECEIVE_COUNT.contains(count))?;
        Some(Self {
            dead_letter_queue: queue_of_arn(&policy.dead_letter_target_arn)?.to_owned(),
            max_receive_count: u32::try_from(count).ok()?,
        })
    }

    pub(crate) fn to_json(&self) -> String {
        let target = arn(&self.dead_letter_queue);
        json!({ "deadLetterTargetArn": target, "maxReceiveCount": self.max_receive_count })
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_count_as_number_and_as_text() {
        for count in ["20", "\"20\""] {
            let text = format!(
                r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":{count}}}"#,
                arn("dead")
            );
            let policy = RedrivePolicy::parse(&text).unwrap().unwrap();
            assert_eq!(policy.max_receive_count, 20);
            let again = RedrivePolicy::parse(&policy.to_json()).unwrap();
            assert_eq!(again, Some(policy));
        }
    }

    #[test]
    fn refuses_a_policy_without_a_usable_target_or_count() {
        for text in [
            "no json",
            "{}",
            r#"{"deadLetterTargetArn":"dead","maxReceiveCount":1}"#,
            r#"{"deadLetterTargetArn":"arn:aws:sqs:r:0:dead","maxReceiveCount":0}"#,
            r#"{"deadLetterTargetArn":"arn:aws:sqs:r:0:dead","maxReceiveCount":1001}"#,
        ] {
            assert!(RedrivePolicy::parse(text).is_err(), "{text}");
        }
    }
}
