//! Subscriptions and what is received from them.

use std::collections::HashMap;

use prost::Message;
use prost_types::{Duration, FieldMask, Timestamp};
use serde::{Deserialize, Serialize};

use super::{PubsubMessage, json};

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Subscription {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) topic: String,
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) push_config: Option<PushConfig>,
    #[prost(int32, tag = "5")]
    pub(crate) ack_deadline_seconds: i32,
    #[prost(bool, tag = "7")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) retain_acked_messages: bool,
    #[prost(message, optional, tag = "8")]
    #[serde(with = "json::text", skip_serializing_if = "Option::is_none")]
    pub(crate) message_retention_duration: Option<Duration>,
    #[prost(map = "string, string", tag = "9")]
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub(crate) labels: HashMap<String, String>,
    #[prost(bool, tag = "10")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) enable_message_ordering: bool,
    #[prost(message, optional, tag = "11")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expiration_policy: Option<ExpirationPolicy>,
    #[prost(string, tag = "12")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) filter: String,
    #[prost(message, optional, tag = "13")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dead_letter_policy: Option<DeadLetterPolicy>,
    #[prost(message, optional, tag = "14")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_policy: Option<RetryPolicy>,
    #[prost(bool, tag = "16")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) enable_exactly_once_delivery: bool,
    /// Only looked at to refuse it, as are the next two: this server delivers to pullers alone.
    #[prost(message, optional, tag = "18")]
    #[serde(skip_serializing)]
    pub(crate) bigquery_config: Option<super::Empty>,
    #[prost(message, optional, tag = "22")]
    #[serde(skip_serializing)]
    pub(crate) cloud_storage_config: Option<super::Empty>,
    #[prost(message, optional, tag = "27")]
    #[serde(skip_serializing)]
    pub(crate) bigtable_config: Option<super::Empty>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PushConfig {
    #[prost(string, tag = "1")]
    pub(crate) push_endpoint: String,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ExpirationPolicy {
    #[prost(message, optional, tag = "1")]
    #[serde(with = "json::text", skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<Duration>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DeadLetterPolicy {
    #[prost(string, tag = "1")]
    pub(crate) dead_letter_topic: String,
    #[prost(int32, tag = "2")]
    pub(crate) max_delivery_attempts: i32,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RetryPolicy {
    #[prost(message, optional, tag = "1")]
    #[serde(with = "json::text", skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_backoff: Option<Duration>,
    #[prost(message, optional, tag = "2")]
    #[serde(with = "json::text", skip_serializing_if = "Option::is_none")]
    pub(crate) maximum_backoff: Option<Duration>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceivedMessage {
    #[prost(string, tag = "1")]
    pub(crate) ack_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) message: Option<PubsubMessage>,
    /// Zero, which is absent on the wire, without a dead-letter policy.
    #[prost(int32, tag = "3")]
    #[serde(skip_serializing_if = "json::is_zero")]
    pub(crate) delivery_attempt: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GetSubscriptionRequest {
    #[prost(string, tag = "1")]
    pub(crate) subscription: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UpdateSubscriptionRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) subscription: Option<Subscription>,
    #[prost(message, optional, tag = "2")]
    #[serde(deserialize_with = "json::field_mask")]
    pub(crate) update_mask: Option<FieldMask>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ListSubscriptionsRequest {
    #[prost(string, tag = "1")]
    pub(crate) project: String,
    #[prost(int32, tag = "2")]
    pub(crate) page_size: i32,
    #[prost(string, tag = "3")]
    pub(crate) page_token: String,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListSubscriptionsResponse {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) subscriptions: Vec<Subscription>,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) next_page_token: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DeleteSubscriptionRequest {
    #[prost(string, tag = "1")]
    pub(crate) subscription: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ModifyPushConfigRequest {
    #[prost(string, tag = "1")]
    pub(crate) subscription: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) push_config: Option<PushConfig>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PullRequest {
    #[prost(string, tag = "1")]
    pub(crate) subscription: String,
    #[prost(bool, tag = "2")]
    pub(crate) return_immediately: bool,
    #[prost(int32, tag = "3")]
    pub(crate) max_messages: i32,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PullResponse {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) received_messages: Vec<ReceivedMessage>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ModifyAckDeadlineRequest {
    #[prost(string, tag = "1")]
    pub(crate) subscription: String,
    #[prost(int32, tag = "3")]
    pub(crate) ack_deadline_seconds: i32,
    #[prost(string, repeated, tag = "4")]
    pub(crate) ack_ids: Vec<String>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AcknowledgeRequest {
    #[prost(string, tag = "1")]
    pub(crate) subscription: String,
    #[prost(string, repeated, tag = "2")]
    pub(crate) ack_ids: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamingPullRequest {
    #[prost(string, tag = "1")]
    pub(crate) subscription: String,
    #[prost(string, repeated, tag = "2")]
    pub(crate) ack_ids: Vec<String>,
    /// One per entry of `modify_deadline_ack_ids`, in the same order.
    #[prost(int32, repeated, packed = "false", tag = "3")]
    pub(crate) modify_deadline_seconds: Vec<i32>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) modify_deadline_ack_ids: Vec<String>,
    #[prost(int32, tag = "5")]
    pub(crate) stream_ack_deadline_seconds: i32,
    /// Zero or less: as many as there are.
    #[prost(int64, tag = "7")]
    pub(crate) max_outstanding_messages: i64,
    /// Zero or less: as many as there are.
    #[prost(int64, tag = "8")]
    pub(crate) max_outstanding_bytes: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamingPullResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) received_messages: Vec<ReceivedMessage>,
    #[prost(message, optional, tag = "4")]
    pub(crate) subscription_properties: Option<SubscriptionProperties>,
}

/// Clients that keep the order of messages learn here that they should.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct SubscriptionProperties {
    #[prost(bool, tag = "1")]
    pub(crate) exactly_once_delivery_enabled: bool,
    #[prost(bool, tag = "2")]
    pub(crate) message_ordering_enabled: bool,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SeekRequest {
    #[prost(string, tag = "1")]
    pub(crate) subscription: String,
    /// A `oneof` with `snapshot`, which looks the same on the wire.
    #[prost(message, optional, tag = "2")]
    #[serde(deserialize_with = "json::text::deserialize")]
    pub(crate) time: Option<Timestamp>,
    #[prost(string, tag = "3")]
    pub(crate) snapshot: String,
}

#[derive(Clone, Copy, PartialEq, Message, Serialize)]
pub(crate) struct SeekResponse {}
