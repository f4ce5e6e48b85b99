use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_sqs::operation::RequestId;
use aws_sdk_sqs::types::MessageAttributeValue;
use opentelemetry::Context;
use opentelemetry::propagation::Injector as _;
use opentelemetry_semantic_conventions::attribute::{
    AWS_REQUEST_ID, AWS_SQS_QUEUE_URL, MESSAGING_MESSAGE_ID,
};
use otel_carriers::sqs::MetadataInjector;
use serde::Serialize;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{Address, Queue, class, reason};
use crate::context::{LeftOut, StoredContext, inject};
use crate::error::{ConnectError, SendError};
use crate::process::{DEAD_LETTER_REASON, DeadLetter, DeadLetters};
use crate::span;

/// Sends events to one queue. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Producer {
    queue: Arc<Queue>,
    propagate: bool,
    left_out: LeftOut,
}

impl Producer {
    /// A producer for the queue named `queue`, which must be there.
    pub async fn connect(address: &Address, queue: &str) -> Result<Self, ConnectError> {
        Ok(Self {
            queue: Arc::new(Queue::find(address, queue).await?),
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

    /// Whether the broker answers and has the queue.
    pub async fn check(&self) -> Result<(), ConnectError> {
        self.queue.check().await
    }

    /// Sends `event` as JSON, in a `send` span below the current one; returns when the broker has it.
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
        let payload = serde_json::to_string(event)?;
        let span = span::send(&self.queue.destination, parent);
        self.deliver(&span, payload, HashMap::new())
            .instrument(span.clone())
            .await
    }

    async fn deliver(
        &self,
        span: &Span,
        payload: String,
        mut attributes: HashMap<String, MessageAttributeValue>,
    ) -> Result<(), SendError> {
        if self.propagate {
            let mut carrier = MetadataInjector::new(&mut attributes);
            inject(&span.context(), &mut carrier);
            self.left_out
                .note(carrier.left_out(), &self.queue.destination);
        }
        span::set(span, AWS_SQS_QUEUE_URL, self.queue.url.clone());
        let message = self.queue.client.send_message().queue_url(&self.queue.url);
        let message = message
            .message_body(payload)
            .set_message_attributes(Some(attributes));
        let sent = message.send().await.map_err(|error| {
            span::refused(span, class(&error), &reason(&error));
            SendError::Broker {
                destination: self.queue.destination.name.clone(),
                reason: reason(&error),
            }
        })?;
        if let Some(id) = sent.request_id() {
            span::set(span, AWS_REQUEST_ID, id.to_owned());
        }
        if let Some(id) = sent.message_id {
            span::set(span, MESSAGING_MESSAGE_ID, id);
        }
        Ok(())
    }
}

impl DeadLetters for Producer {
    async fn give_up(&self, letter: DeadLetter<'_>) -> Result<(), SendError> {
        let span = span::send(&self.queue.destination, letter.last_attempt.context());
        span::link(&span, letter.last_attempt);
        let mut attributes = HashMap::new();
        MetadataInjector::new(&mut attributes).set(DEAD_LETTER_REASON, letter.reason.to_owned());
        // It came as text, so this changes nothing.
        let payload = String::from_utf8_lossy(letter.payload).into_owned();
        self.deliver(&span, payload, attributes)
            .instrument(span.clone())
            .await
    }
}
