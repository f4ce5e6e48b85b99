use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use google_cloud_pubsub::client::{Publisher, TopicAdmin};
use google_cloud_pubsub::model::Message as Published;
use opentelemetry::Context;
use opentelemetry_semantic_conventions::attribute::MESSAGING_MESSAGE_ID;
use otel_carriers::pubsub::MetadataInjector;
use serde::Serialize;
use tokio::time::timeout;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{Address, Emulator, refused};
use crate::context::{LeftOut, StoredContext, inject};
use crate::error::{ConnectError, SendError};
use crate::process::{DEAD_LETTER_REASON, DeadLetter, DeadLetters};
use crate::span::{self, Destination};

/// How long the client waits for more messages to fill a batch.
/// An order waits for this publish, so it is as short as the client allows.
const BATCH_DELAY: Duration = Duration::from_millis(1);

/// How long a publish may take; the client alone would try for ten minutes.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// Publishes events to one topic. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Producer {
    client: Publisher,
    admin: TopicAdmin,
    address: Address,
    destination: Arc<Destination>,
    propagate: bool,
    left_out: LeftOut,
}

impl Producer {
    /// A producer for `topic`; the client connects when it is needed.
    pub async fn connect(address: &Address, topic: &str) -> Result<Self, ConnectError> {
        let mut builder = Publisher::builder(address.topic(topic)).set_delay_threshold(BATCH_DELAY);
        let mut admin = TopicAdmin::builder();
        if let Some(Emulator {
            endpoint,
            credentials,
        }) = address.emulator()
        {
            builder = builder
                .with_endpoint(endpoint.clone())
                .with_credentials(credentials.clone());
            admin = admin.with_endpoint(endpoint).with_credentials(credentials);
        }
        Ok(Self {
            client: builder.build().await.map_err(|error| refused(&error))?,
            admin: admin.build().await.map_err(|error| refused(&error))?,
            address: address.clone(),
            destination: Arc::new(address.destination(topic)),
            propagate: true,
            left_out: LeftOut::default(),
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
        let topic = self.address.topic(&self.destination.name);
        let asked = self.admin.get_topic().set_topic(topic).send();
        match asked.await {
            Ok(_) => Ok(()),
            Err(error) => Err(refused(&error)),
        }
    }

    /// Publishes `event` as JSON, in a `send` span below the current one; returns when the broker has it.
    pub async fn send<E: Serialize>(&self, event: &E) -> Result<(), SendError> {
        self.encode_and_send(Span::current().context(), event).await
    }

    /// As [`send`](Self::send), below the span in which `context` was captured.
    pub async fn send_from<E: Serialize>(
        &self,
        context: &StoredContext,
        event: &E,
    ) -> Result<(), SendError> {
        self.encode_and_send(context.restore(), event).await
    }

    async fn encode_and_send<E: Serialize>(
        &self,
        parent: Context,
        event: &E,
    ) -> Result<(), SendError> {
        let payload = serde_json::to_vec(event)?;
        let span = span::send(&self.destination, parent);
        self.deliver(&span, payload, HashMap::new())
            .instrument(span.clone())
            .await
    }

    async fn deliver(
        &self,
        span: &Span,
        payload: Vec<u8>,
        mut attributes: HashMap<String, String>,
    ) -> Result<(), SendError> {
        if self.propagate {
            let mut carrier = MetadataInjector::new(&mut attributes);
            inject(&span.context(), &mut carrier);
            self.left_out.note(carrier.left_out(), &self.destination);
        }
        let message = Published::new()
            .set_data(payload)
            .set_attributes(attributes);
        let published = timeout(SEND_WITHIN, self.client.publish(message)).await;
        let id = match published {
            Ok(Ok(id)) => id,
            Ok(Err(error)) => return Err(self.refused(span, "publish", &error)),
            Err(late) => return Err(self.refused(span, "timeout", &late)),
        };
        span::set(span, MESSAGING_MESSAGE_ID, id);
        Ok(())
    }

    fn refused(&self, span: &Span, class: &str, error: &impl ToString) -> SendError {
        span::refused(span, class.to_owned(), error);
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
        let reason = (DEAD_LETTER_REASON.to_owned(), letter.reason.to_owned());
        self.deliver(&span, letter.payload.to_vec(), HashMap::from([reason]))
            .instrument(span.clone())
            .await
    }
}
