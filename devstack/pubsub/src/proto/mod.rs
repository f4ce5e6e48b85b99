//! The messages of `google/pubsub/v1/pubsub.proto` that this server reads and writes.
//!
//! Written by hand, so that building needs neither `protoc` nor a build script.
//! Fields that the server does nothing with are left out: protobuf skips what it does not know.
//! The same types carry the REST form, which is [proto3 JSON](https://protobuf.dev/programming-guides/json/).

pub(crate) mod json;
mod publisher;
mod subscriber;

pub(crate) use publisher::*;
pub(crate) use subscriber::*;

/// `google.protobuf.Empty`.
#[derive(Clone, Copy, PartialEq, ::prost::Message, serde::Serialize, serde::Deserialize)]
pub(crate) struct Empty {}
