//! The two policies about dead letters, and the resource names they use.
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
pub(crate) fn queue_of_arn(arn: &str) -> Option<&str> {
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
    pub(crate) fn to_json(&self) -> String {
        let target = arn(&self.dead_letter_queue);
        json!({ "deadLetterTargetArn": target, "maxReceiveCount": self.max_receive_count })
            .to_string()
    }
}

/// Which queues may name this one as their dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RedriveAllowPolicy {
    AllowAll,
    DenyAll,
    ByQueue(Vec<String>),
}

impl RedriveAllowPolicy {
    pub(crate) fn allows(&self, source: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::ByQueue(sources) => sources.iter().any(|allowed| allowed == source),
        }
    }

    /// `None` for the default, which AWS does not show either.
    pub(crate) fn to_json(&self) -> Option<String> {
        let policy = match self {
            Self::AllowAll => return None,
            Self::DenyAll => json!({ "redrivePermission": "denyAll" }),
            Self::ByQueue(sources) => {
                let arns: Vec<String> = sources.iter().map(|source| arn(source)).collect();
                json!({ "redrivePermission": "byQueue", "sourceQueueArns": arns })
            }
        };
        Some(policy.to_string())
    }
}

/// Reads a `RedrivePolicy`; an empty text takes the policy away.
pub(crate) fn parse_policy(text: &str) -> Result<Option<RedrivePolicy>, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Policy {
        dead_letter_target_arn: String,
        max_receive_count: Value,
    }
    if text.is_empty() {
        return Ok(None);
    }
    let policy: Policy = serde_json::from_str(text).map_err(|_| invalid("RedrivePolicy", text))?;
    let queue = queue_of_arn(&policy.dead_letter_target_arn);
    // Tools write the count as a number and as a text; AWS takes both.
    let count = match &policy.max_receive_count {
        Value::String(count) => count.parse().ok(),
        count => count.as_u64(),
    };
    let count = count.filter(|count| limits::MAX_RECEIVE_COUNT.contains(count));
    Ok(Some(RedrivePolicy {
        dead_letter_queue: queue
            .ok_or_else(|| invalid("RedrivePolicy", text))?
            .to_owned(),
        max_receive_count: count
            .and_then(|count| u32::try_from(count).ok())
            .ok_or_else(|| invalid("RedrivePolicy", text))?,
    }))
}

/// Reads a `RedriveAllowPolicy`; an empty text restores the default.
pub(crate) fn parse_allow_policy(text: &str) -> Result<RedriveAllowPolicy, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Policy {
        redrive_permission: String,
        #[serde(default)]
        source_queue_arns: Vec<String>,
    }
    if text.is_empty() {
        return Ok(RedriveAllowPolicy::AllowAll);
    }
    let refused = || invalid("RedriveAllowPolicy", text);
    let policy: Policy = serde_json::from_str(text).map_err(|_| refused())?;
    let arns = policy.source_queue_arns;
    match (policy.redrive_permission.as_str(), arns.len()) {
        ("allowAll", 0) => Ok(RedriveAllowPolicy::AllowAll),
        ("denyAll", 0) => Ok(RedriveAllowPolicy::DenyAll),
        ("byQueue", 1..=10) => {
            let queues = arns.iter().map(|arn| queue_of_arn(arn).map(str::to_owned));
            let queues: Option<Vec<String>> = queues.collect();
            queues.map(RedriveAllowPolicy::ByQueue).ok_or_else(refused)
        }
        _ => Err(refused()),
    }
}

fn invalid(policy: &str, text: &str) -> Error {
    Error::InvalidAttributeValue(format!("Value {text} for parameter {policy} is invalid."))
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
            let policy = parse_policy(&text).unwrap().unwrap();
            assert_eq!(policy.max_receive_count, 20);
            assert_eq!(parse_policy(&policy.to_json()).unwrap(), Some(policy));
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
            assert!(parse_policy(text).is_err(), "{text}");
        }
    }

    #[test]
    fn allows_only_the_queues_it_names() {
        let text = format!(
            r#"{{"redrivePermission":"byQueue","sourceQueueArns":["{}"]}}"#,
            arn("jobs")
        );
        let policy = parse_allow_policy(&text).unwrap();
        assert!(policy.allows("jobs"));
        assert!(!policy.allows("others"));
        assert!(parse_allow_policy(r#"{"redrivePermission":"byQueue"}"#).is_err());
    }
}
