use std::collections::HashMap;
use std::time::Duration;

use google_cloud_gax::error::rpc::Code;
use google_cloud_pubsub::client::{BasePublisher, Publisher, TopicAdmin};
use google_cloud_pubsub::error::PublishError;
use google_cloud_pubsub::model::Message;
use opentelemetry_semantic_conventions::attribute::{
    MESSAGING_GCP_PUBSUB_MESSAGE_ORDERING_KEY, MESSAGING_MESSAGE_ID,
};
use otel_carriers::pubsub::{MAX_ATTRIBUTES, MAX_KEY_BYTES, MAX_VALUE_BYTES, MetadataInjector};
use tokio::time::timeout;
use tracing::Span;

use crate::context::{inject, note_left_out};
use crate::destination::Destination;
use crate::error::{ConnectError, SendError};
use crate::headers::Headers;
use crate::producer::{Outbound, Sent, Transport};
use crate::span;

/// How long the client waits for more messages to fill a batch.
/// A request waits for this publish, so it is as short as the client allows.
const BATCH_DELAY: Duration = Duration::from_millis(1);
/// How long a publish may take; the client alone would try for ten minutes.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// The most bytes of a message. <https://cloud.google.com/pubsub/quotas#resource_limits>
const MAX_MESSAGE_BYTES: usize = 10_000_000;
/// The most bytes of an ordering key.
const MAX_ORDERING_KEY_BYTES: usize = 1024;

/// A topic to publish to.
#[derive(Debug)]
pub struct Topic {
    client: Publisher,
    admin: TopicAdmin,
    path: String,
    destination: Destination,
}

impl Topic {
    pub(super) fn new(
        publisher: &BasePublisher,
        admin: TopicAdmin,
        path: String,
        destination: Destination,
    ) -> Self {
        let publisher = publisher.publisher(path.clone());
        Self {
            client: publisher.set_delay_threshold(BATCH_DELAY).build(),
            admin,
            path,
            destination,
        }
    }

    /// What Pub/Sub would refuse is found here, because it refuses the whole batch that the client has put it in.
    fn prepare(
        &self,
        message: Outbound,
        span: &Span,
        propagate: bool,
    ) -> Result<Message, SendError> {
        let refuse = |reason| self.refused("INVALID_ARGUMENT", reason);
        let mut attributes = attributes(&message.headers).map_err(refuse)?;
        if propagate {
            let mut carrier = MetadataInjector::new(&mut attributes);
            inject(&message.context, &mut carrier);
            note_left_out(carrier.left_out(), &self.destination);
        }
        let key = message.key.map(|key| String::from_utf8(key.into()));
        let key = key.transpose().map_err(|_| refuse("the key is not text"))?;
        let key = key.unwrap_or_default();
        let data = message.payload.unwrap_or_default();
        check(&data, &attributes, &key).map_err(refuse)?;
        if !key.is_empty() {
            span::set(span, MESSAGING_GCP_PUBSUB_MESSAGE_ORDERING_KEY, key.clone());
        }
        let message = Message::new().set_data(data).set_attributes(attributes);
        Ok(message.set_ordering_key(key))
    }

    fn refused(&self, error_type: &str, reason: &str) -> SendError {
        SendError::refused(&self.destination.name, error_type, reason)
    }

    fn unavailable(&self, error_type: &str, reason: &impl ToString) -> SendError {
        SendError::unavailable(&self.destination.name, error_type, reason.to_string())
    }

    fn not_published(&self, error: &PublishError) -> SendError {
        let PublishError::Rpc(rpc) = error else {
            return self.unavailable("_OTHER", error);
        };
        match rpc.status().map(|status| status.code) {
            Some(Code::InvalidArgument) => self.refused("INVALID_ARGUMENT", &rpc.to_string()),
            Some(code) => self.unavailable(code.name(), rpc),
            None => self.unavailable("_OTHER", rpc),
        }
    }
}

impl Transport for Topic {
    fn destination(&self) -> &Destination {
        &self.destination
    }

    async fn transmit(
        &self,
        message: Outbound,
        span: &Span,
        propagate: bool,
    ) -> Result<Sent, SendError> {
        let message = self.prepare(message, span, propagate)?;
        let key = message.ordering_key.clone();
        let published = timeout(SEND_WITHIN, self.client.publish(message)).await;
        let published = match published {
            Ok(answer) => answer.map_err(|error| self.not_published(&error)),
            Err(late) => Err(self.unavailable("timeout", &late)),
        };
        if published.is_err() && !key.is_empty() {
            // The client has stopped publishing for this key; whether to send again is for the caller to say.
            self.client.resume_publish(key);
        }
        let message_id = published?;
        span::set(span, MESSAGING_MESSAGE_ID, message_id.clone());
        Ok(Sent { message_id })
    }

    async fn check(&self) -> Result<(), ConnectError> {
        let asked = self.admin.get_topic().set_topic(self.path.clone());
        let answer = asked.send().await;
        answer.map(drop).map_err(|error| ConnectError::new(&error))
    }
}

fn attributes(headers: &Headers) -> Result<HashMap<String, String>, &'static str> {
    let mut attributes = HashMap::new();
    for (name, value) in headers.iter() {
        let value = value.map(AsRef::as_ref).unwrap_or_default();
        let Ok(value) = std::str::from_utf8(value) else {
            return Err("an attribute is not text");
        };
        attributes.insert(name.to_owned(), value.to_owned());
    }
    Ok(attributes)
}

/// The limits of Pub/Sub.
fn check(data: &[u8], attributes: &HashMap<String, String>, key: &str) -> Result<(), &'static str> {
    let is_wrong = |(name, value): (&String, &String)| {
        name.is_empty()
            || name.len() > MAX_KEY_BYTES
            || name.starts_with("goog")
            || value.len() > MAX_VALUE_BYTES
    };
    let sizes = attributes
        .iter()
        .map(|(name, value)| name.len() + value.len());
    if data.is_empty() && attributes.is_empty() {
        Err("the message has neither a payload nor attributes")
    } else if data.len() + sizes.sum::<usize>() + key.len() > MAX_MESSAGE_BYTES {
        Err("the message is larger than 10 MB")
    } else if attributes.len() > MAX_ATTRIBUTES {
        Err("the message has more than 100 attributes")
    } else if attributes.iter().any(is_wrong) {
        Err(
            "an attribute is longer than 256 bytes for its key, 1024 for its value, or begins with goog",
        )
    } else if key.len() > MAX_ORDERING_KEY_BYTES {
        Err("the ordering key is longer than 1024 bytes")
    } else {
        Ok(())
    }
}
