//! The messages of `google/pubsub/v1/pubsub.proto` that this server reads and writes.
//!
//! Written by hand, so that building needs neither `protoc` nor a build script.
//! Fields without which messages are delivered all the same are left out: protobuf skips what it does not know.
//! The same types carry the REST form, which is [proto3 JSON](https://protobuf.dev/programming-guides/json/).

use std::collections::HashMap;

use bytes::Bytes;
use prost::Message;
use prost_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::base64::Base64;
use serde_with::{DisplayFromStr, serde_as};

/// `google.protobuf.Empty`.
#[derive(Clone, Copy, PartialEq, Message, Serialize)]
pub(crate) struct Empty {}

#[serde_as]
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct PubsubMessage {
    #[prost(bytes = "bytes", tag = "1")]
    #[serde_as(as = "Base64")]
    #[serde(skip_serializing_if = "Bytes::is_empty")]
    pub(crate) data: Bytes,
    #[prost(map = "string, string", tag = "2")]
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub(crate) attributes: HashMap<String, String>,
    #[prost(string, tag = "3")]
    pub(crate) message_id: String,
    #[prost(message, optional, tag = "4")]
    #[serde_as(as = "Option<DisplayFromStr>")]
    pub(crate) publish_time: Option<Timestamp>,
    #[prost(string, tag = "5")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) ordering_key: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct PublishRequest {
    #[prost(string, tag = "1")]
    pub(crate) topic: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) messages: Vec<PubsubMessage>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublishResponse {
    #[prost(string, repeated, tag = "1")]
    pub(crate) message_ids: Vec<String>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
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

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceivedMessage {
    #[prost(string, tag = "1")]
    pub(crate) ack_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) message: Option<PubsubMessage>,
    /// `None`, which is zero to clients, without a dead-letter policy.
    #[prost(int32, optional, tag = "3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delivery_attempt: Option<i32>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct AcknowledgeRequest {
    #[prost(string, tag = "1")]
    pub(crate) subscription: String,
    #[prost(string, repeated, tag = "2")]
    pub(crate) ack_ids: Vec<String>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct ModifyAckDeadlineRequest {
    #[prost(string, tag = "1")]
    pub(crate) subscription: String,
    #[prost(int32, tag = "3")]
    pub(crate) ack_deadline_seconds: i32,
    #[prost(string, repeated, tag = "4")]
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
    #[prost(bool, tag = "2")]
    pub(crate) message_ordering_enabled: bool,
}

/// Over REST only.
#[serde_as]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeekRequest {
    pub(crate) subscription: String,
    #[serde_as(as = "DisplayFromStr")]
    pub(crate) time: Timestamp,
}
