use opentelemetry_semantic_conventions::attribute::{
    MESSAGING_DESTINATION_PARTITION_ID, MESSAGING_KAFKA_MESSAGE_KEY, MESSAGING_KAFKA_OFFSET,
};
use otel_carriers::kafka::MetadataInjector;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::util::Timeout;
use tracing::Span;

use super::tokens::Tokens;
use crate::context::inject;
use crate::destination::Destination;
use crate::error::{ConnectError, SendError};
use crate::headers::Headers;
use crate::producer::{Outbound, Sent, Transport};
use crate::span;

/// A topic to send to.
pub struct Topic {
    client: FutureProducer<Tokens>,
    destination: Destination,
}

impl Topic {
    pub(super) fn new(client: FutureProducer<Tokens>, destination: Destination) -> Self {
        Self {
            client,
            destination,
        }
    }

    fn refused(&self, error: &KafkaError) -> SendError {
        let code = error.rdkafka_error_code();
        let destination = &self.destination.name;
        let error_type = code.map_or_else(|| "_OTHER".to_owned(), |code| format!("{code:?}"));
        let reason = error.to_string();
        if code.is_some_and(is_permanent) {
            SendError::refused(destination, &error_type, reason)
        } else {
            SendError::unavailable(destination, &error_type, reason)
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
        let mut headers = owned(&message.headers);
        if propagate {
            inject(&message.context, &mut MetadataInjector::new(&mut headers));
        }
        let key = message.key.as_deref();
        if let Some(Ok(key)) = key.map(std::str::from_utf8) {
            span::set(span, MESSAGING_KAFKA_MESSAGE_KEY, key.to_owned());
        }
        let record = FutureRecord {
            topic: &self.destination.name,
            partition: None,
            payload: message.payload.as_deref(),
            key,
            timestamp: None,
            headers: Some(headers),
        };
        let sent = self.client.send(record, Timeout::Never).await;
        let sent = sent.map_err(|(error, _)| self.refused(&error))?;
        let (topic, partition, offset) = (&self.destination.name, sent.partition, sent.offset);
        span::set(
            span,
            MESSAGING_DESTINATION_PARTITION_ID,
            partition.to_string(),
        );
        span::set(span, MESSAGING_KAFKA_OFFSET, offset);
        Ok(Sent {
            message_id: format!("{topic}/{partition}/{offset}"),
        })
    }

    async fn check(&self) -> Result<(), ConnectError> {
        let (client, topic) = (self.client.clone(), self.destination.name.clone());
        super::check(move |within| client.client().fetch_metadata(Some(&topic), within)).await
    }
}

/// The broker would say the same again.
fn is_permanent(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::MessageBatchTooLarge
            | RDKafkaErrorCode::InvalidMessage
            | RDKafkaErrorCode::InvalidMessageSize
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::InvalidTimestamp
            | RDKafkaErrorCode::PolicyViolation
    )
}

fn owned(headers: &Headers) -> OwnedHeaders {
    let owned = OwnedHeaders::new_with_capacity(headers.len() + 3);
    headers.iter().fold(owned, |owned, (key, value)| {
        owned.insert(Header {
            key,
            value: value.map(AsRef::<[u8]>::as_ref),
        })
    })
}

impl std::fmt::Debug for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Topic")
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}
