//! Topics and what is published to them.

use std::collections::HashMap;

use bytes::Bytes;
use prost::Message;
use prost_types::{Duration, FieldMask, Timestamp};
use serde::{Deserialize, Serialize};

use super::json;

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Topic {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(map = "string, string", tag = "2")]
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub(crate) labels: HashMap<String, String>,
    #[prost(message, optional, tag = "8")]
    #[serde(with = "json::text", skip_serializing_if = "Option::is_none")]
    pub(crate) message_retention_duration: Option<Duration>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PubsubMessage {
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(with = "json::base64", skip_serializing_if = "Bytes::is_empty")]
    pub(crate) data: Bytes,
    #[prost(map = "string, string", tag = "2")]
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub(crate) attributes: HashMap<String, String>,
    #[prost(string, tag = "3")]
    pub(crate) message_id: String,
    #[prost(message, optional, tag = "4")]
    #[serde(with = "json::text", skip_serializing_if = "Option::is_none")]
    pub(crate) publish_time: Option<Timestamp>,
    #[prost(string, tag = "5")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) ordering_key: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GetTopicRequest {
    #[prost(string, tag = "1")]
    pub(crate) topic: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UpdateTopicRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) topic: Option<Topic>,
    #[prost(message, optional, tag = "2")]
    #[serde(deserialize_with = "json::field_mask")]
    pub(crate) update_mask: Option<FieldMask>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
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
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ListTopicsRequest {
    #[prost(string, tag = "1")]
    pub(crate) project: String,
    #[prost(int32, tag = "2")]
    pub(crate) page_size: i32,
    #[prost(string, tag = "3")]
    pub(crate) page_token: String,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListTopicsResponse {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) topics: Vec<Topic>,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) next_page_token: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ListTopicSubscriptionsRequest {
    #[prost(string, tag = "1")]
    pub(crate) topic: String,
    #[prost(int32, tag = "2")]
    pub(crate) page_size: i32,
    #[prost(string, tag = "3")]
    pub(crate) page_token: String,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListTopicSubscriptionsResponse {
    #[prost(string, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) subscriptions: Vec<String>,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) next_page_token: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DeleteTopicRequest {
    #[prost(string, tag = "1")]
    pub(crate) topic: String,
}
