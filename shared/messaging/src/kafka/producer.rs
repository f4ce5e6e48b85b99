use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_semantic_conventions::attribute::{
    MESSAGING_DESTINATION_PARTITION_ID, MESSAGING_KAFKA_MESSAGE_KEY, MESSAGING_KAFKA_OFFSET,
};
use otel_carriers::kafka::MetadataInjector;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::util::Timeout;
use serde::Serialize;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{Address, refused};
use crate::context::{StoredContext, inject};
use crate::error::{ConnectError, SendError};
use crate::process::{DEAD_LETTER_REASON, DeadLetter, DeadLetters};
use crate::span::{self, Destination};

/// How long the broker may take to answer when asked whether it is there.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends events to one topic. Cheap to clone.
#[derive(Clone)]
pub struct Producer {
    client: FutureProducer,
    destination: Arc<Destination>,
    propagate: bool,
}

impl Producer {
    /// A producer for `topic`; the client connects when it is needed.
    #[expect(
        clippy::unused_async,
        reason = "the other brokers have to ask their servers"
    )]
    pub async fn connect(address: &Address, topic: &str) -> Result<Self, ConnectError> {
        let client = address
            .client()
            // A retry inside the client must neither double nor reorder records.
            .set("enable.idempotence", "true")
            // An order waits for this send, so it does not wait for others to fill a batch.
            .set("linger.ms", "0")
            .set("message.timeout.ms", "10000")
            .create()
            .map_err(|error| refused(&error))?;
        Ok(Self {
            client,
            destination: Arc::new(address.destination(topic)),
            propagate: true,
        })
    }

    /// Leaves the context out of the messages, to show what a broken trace looks like.
    pub fn without_context(self) -> Self {
        Self {
            propagate: false,
            ..self
        }
    }

    /// Whether the broker answers and has the topic.
    pub async fn check(&self) -> Result<(), ConnectError> {
        let (client, topic) = (self.client.clone(), self.destination.name.clone());
        let metadata = tokio::task::spawn_blocking(move || {
            client.client().fetch_metadata(Some(&topic), CHECK_TIMEOUT)
        });
        match metadata.await {
            Ok(Ok(metadata)) => match metadata.topics().iter().find_map(MetadataTopic::error) {
                Some(error) => Err(ConnectError(RDKafkaErrorCode::from(error).to_string())),
                None => Ok(()),
            },
            Ok(Err(error)) => Err(refused(&error)),
            Err(error) => Err(refused(&error)),
        }
    }

    /// Sends `event` as JSON, in a `send` span below the current one; returns when the broker has it.
    ///
    /// Events with the same `key` stay in order.
    pub async fn send<E: Serialize>(&self, key: &str, event: &E) -> Result<(), SendError> {
        self.encode_and_send(Span::current().context(), key, event)
            .await
    }

    /// As [`send`](Self::send), below the span in which `context` was captured.
    pub async fn send_from<E: Serialize>(
        &self,
        context: &StoredContext,
        key: &str,
        event: &E,
    ) -> Result<(), SendError> {
        self.encode_and_send(context.restore(), key, event).await
    }

    async fn encode_and_send<E: Serialize>(
        &self,
        parent: Context,
        key: &str,
        event: &E,
    ) -> Result<(), SendError> {
        let payload = serde_json::to_vec(event)?;
        let span = span::send(&self.destination, parent);
        span::set(&span, MESSAGING_KAFKA_MESSAGE_KEY, key.to_owned());
        let headers = OwnedHeaders::new();
        self.deliver(&span, Some(key.as_bytes()), &payload, headers)
            .instrument(span.clone())
            .await
    }

    async fn deliver(
        &self,
        span: &Span,
        key: Option<&[u8]>,
        payload: &[u8],
        mut headers: OwnedHeaders,
    ) -> Result<(), SendError> {
        if self.propagate {
            inject(&span.context(), &mut MetadataInjector::new(&mut headers));
        }
        let record = FutureRecord {
            topic: &self.destination.name,
            partition: None,
            payload: Some(payload),
            key,
            timestamp: None,
            headers: Some(headers),
        };
        let (partition, offset) = match self.client.send(record, Timeout::Never).await {
            Ok(delivered) => (delivered.partition, delivered.offset),
            Err((error, _)) => return Err(self.refused(span, &error)),
        };
        span::set(
            span,
            MESSAGING_DESTINATION_PARTITION_ID,
            partition.to_string(),
        );
        span::set(span, MESSAGING_KAFKA_OFFSET, offset);
        Ok(())
    }

    fn refused(&self, span: &Span, error: &KafkaError) -> SendError {
        let class = error
            .rdkafka_error_code()
            .map_or_else(|| "client".to_owned(), |code| format!("{code:?}"));
        span::refused(span, class, error);
        SendError::Broker {
            destination: self.destination.name.clone(),
            reason: error.to_string(),
        }
    }
}

impl DeadLetters for Producer {
    async fn give_up(&self, letter: DeadLetter<'_>) -> Result<(), SendError> {
        let span = span::send(&self.destination, letter.last_attempt.context());
        span::link(&span, letter.last_attempt);
        let headers = OwnedHeaders::new().insert(Header {
            key: DEAD_LETTER_REASON,
            value: Some(letter.reason),
        });
        self.deliver(&span, letter.key, letter.payload, headers)
            .instrument(span.clone())
            .await
    }
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer")
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}
