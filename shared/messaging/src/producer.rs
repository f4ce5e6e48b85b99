//! Sending: the same for every broker, but for the last step.

use std::sync::Arc;

use bytes::Bytes;
use opentelemetry::Context;
use opentelemetry::trace::FutureExt;
use tracing::{Instrument, Span};

use crate::codec::{Encode, Json};
use crate::context::{StoredContext, current};
use crate::destination::Destination;
use crate::error::{ConnectError, SendError};
use crate::headers::Headers;
use crate::span;

/// An event on its way, and what goes beside it. A reference to an event is one with nothing beside it.
#[derive(Debug)]
pub struct Outgoing<'a, E: ?Sized> {
    event: &'a E,
    key: Option<Bytes>,
    headers: Headers,
    context: Option<&'a StoredContext>,
    deduplication_id: Option<String>,
}

impl<'a, E: ?Sized> Outgoing<'a, E> {
    /// An event with nothing beside it.
    pub fn new(event: &'a E) -> Self {
        Self {
            event,
            key: None,
            headers: Headers::new(),
            context: None,
            deduplication_id: None,
        }
    }

    /// What keeps events in order: Kafka's record key, the message group of a FIFO queue, Pub/Sub's ordering key.
    ///
    /// A standard queue has nothing of the kind and is not told.
    pub fn key(self, key: impl Into<Bytes>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }

    /// A header on Kafka, a message attribute on SQS and Pub/Sub.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Sends below the span in which `context` was captured, and not below the current one.
    pub fn context(self, context: &'a StoredContext) -> Self {
        Self {
            context: Some(context),
            ..self
        }
    }

    /// What a FIFO queue knows duplicates by; the other brokers are not told.
    pub fn deduplication_id(self, id: impl Into<String>) -> Self {
        Self {
            deduplication_id: Some(id.into()),
            ..self
        }
    }

    fn parent(&self) -> Context {
        match self.context {
            Some(stored) => stored.restore(),
            None => current(),
        }
    }

    fn encode<C: Encode<E>>(self, codec: &C, context: Context) -> Result<Outbound, SendError> {
        Ok(Outbound {
            context,
            payload: codec.encode(self.event).map_err(SendError::Encode)?,
            key: self.key,
            headers: self.headers,
            deduplication_id: self.deduplication_id,
        })
    }
}

impl<'a, E: ?Sized> From<&'a E> for Outgoing<'a, E> {
    fn from(event: &'a E) -> Self {
        Self::new(event)
    }
}

/// What the broker says about a message that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The broker's id of the message; on Kafka `topic/partition/offset`.
    pub message_id: String,
}

/// A message as it goes to the broker.
#[derive(Debug, Clone)]
pub(crate) struct Outbound {
    /// What it carries, if it is to carry anything.
    pub(crate) context: Context,
    pub(crate) key: Option<Bytes>,
    pub(crate) payload: Option<Bytes>,
    pub(crate) headers: Headers,
    pub(crate) deduplication_id: Option<String>,
}

/// The broker's part.
pub(crate) trait Transport: Send + Sync + 'static {
    /// Whether a message has room for a handful of headers only.
    const FEW_HEADERS: bool = false;

    fn destination(&self) -> &Destination;

    /// Hands over one message in its `span`; `propagate`: whether it is to carry its context.
    fn transmit(
        &self,
        message: Outbound,
        span: &Span,
        propagate: bool,
    ) -> impl Future<Output = Result<Sent, SendError>> + Send;

    /// Hands over several messages, each with its span; one answer for each.
    fn transmit_all(
        &self,
        messages: Vec<(Outbound, Span)>,
        propagate: bool,
    ) -> impl Future<Output = Vec<Result<Sent, SendError>>> + Send {
        async move {
            let sends = messages.into_iter().map(|(message, span)| async move {
                self.transmit(message, &span, propagate).await
            });
            futures::future::join_all(sends).await
        }
    }

    /// Whether the broker answers and has the topic or queue.
    fn check(&self) -> impl Future<Output = Result<(), ConnectError>> + Send;
}

/// Sends events to one topic or queue. Cheap to clone.
///
/// `kafka::Producer`, `sqs::Producer` and `pubsub::Producer` are this type; each module's `Client` makes them.
#[derive(Debug)]
pub struct Producer<T, C = Json> {
    transport: Arc<T>,
    codec: Arc<C>,
    propagate: bool,
}

impl<T, C> Clone for Producer<T, C> {
    fn clone(&self) -> Self {
        Self {
            transport: self.transport.clone(),
            codec: self.codec.clone(),
            propagate: self.propagate,
        }
    }
}

impl<T> Producer<T> {
    pub(crate) fn new(transport: T) -> Self {
        Self {
            transport: Arc::new(transport),
            codec: Arc::new(Json),
            propagate: true,
        }
    }

    /// Writes events with `codec` instead of as JSON.
    pub fn with_codec<C>(self, codec: C) -> Producer<T, C> {
        Producer {
            transport: self.transport,
            codec: Arc::new(codec),
            propagate: self.propagate,
        }
    }
}

#[expect(
    private_bounds,
    reason = "the transports are those of this crate's modules"
)]
impl<T: Transport, C: Send + Sync + 'static> Producer<T, C> {
    /// Whether messages carry the context of their span; without it the trace ends at the broker.
    pub fn with_propagation(self, propagate: bool) -> Self {
        Self { propagate, ..self }
    }

    /// Whether the broker answers and has the topic or queue.
    pub async fn check(&self) -> Result<(), ConnectError> {
        self.transport.check().await
    }

    /// Sends an event, in a `send` span; returns when the broker has it.
    ///
    /// ```no_run
    /// # async fn example(producer: otel_messaging::kafka::Producer, event: serde_json::Value) -> anyhow::Result<()> {
    /// use otel_messaging::Outgoing;
    ///
    /// producer.send(&event).await?;
    /// producer.send(Outgoing::new(&event).key("invoice-7").header("tenant", "acme")).await?;
    /// # Ok(()) }
    /// ```
    pub async fn send<'a, E>(&self, event: impl Into<Outgoing<'a, E>>) -> Result<Sent, SendError>
    where
        E: ?Sized + 'a,
        C: Encode<E>,
    {
        let event = event.into();
        let parent = event.parent();
        let span = span::send(self.destination(), parent.clone());
        let outbound = event.encode(&*self.codec, span::context(&span, &parent));
        let outbound = outbound.inspect_err(|error| span::refused(&span, error))?;
        self.transmit(outbound, &span).await
    }

    /// Sends several events together; one answer for each, in their order.
    ///
    /// Each message has a `create` span, whose context it carries; one `send` span for all is linked to them.
    /// <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#trace-structure>
    pub async fn send_batch<'a, E>(
        &self,
        events: impl IntoIterator<Item = impl Into<Outgoing<'a, E>>>,
    ) -> Vec<Result<Sent, SendError>>
    where
        E: ?Sized + 'a,
        C: Encode<E>,
    {
        let mut answers = Vec::new();
        let mut messages = Vec::new();
        for event in events {
            let event = event.into();
            let parent = event.parent();
            let create = span::create(self.destination(), parent.clone());
            match event.encode(&*self.codec, span::context(&create, &parent)) {
                Ok(outbound) => {
                    messages.push((outbound, create));
                    answers.push(None);
                }
                Err(error) => {
                    span::refused(&create, &error);
                    answers.push(Some(Err(error)));
                }
            }
        }
        let mut sent = self.transmit_all(messages).await.into_iter();
        let all = answers
            .into_iter()
            .map(|answer| answer.or_else(|| sent.next()));
        all.flatten().collect()
    }

    async fn transmit_all(&self, messages: Vec<(Outbound, Span)>) -> Vec<Result<Sent, SendError>> {
        if messages.is_empty() {
            return Vec::new();
        }
        let created: Vec<_> = messages.iter().map(|(_, create)| create.clone()).collect();
        let span = span::send_batch(self.destination(), &created);
        let sent = self.transport.transmit_all(messages, self.propagate);
        let sent = sent.instrument(span.clone()).await;
        for (answer, create) in sent.iter().zip(&created) {
            if let Err(error) = answer {
                span::refused(create, error);
                span::refused(&span, error);
            }
        }
        sent
    }

    pub(crate) async fn transmit(
        &self,
        outbound: Outbound,
        span: &Span,
    ) -> Result<Sent, SendError> {
        let context = outbound.context.clone();
        let sent = self.transport.transmit(outbound, span, self.propagate);
        let sent = sent.with_context(context).instrument(span.clone()).await;
        sent.inspect_err(|error| span::refused(span, error))
    }

    pub(crate) fn destination(&self) -> &Destination {
        self.transport.destination()
    }
}
