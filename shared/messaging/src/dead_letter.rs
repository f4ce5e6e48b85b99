//! Messages that were given up: what they keep, and what they say about where they come from.

use std::time::{SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use opentelemetry::Context;
use tracing::Span;

use crate::context::current;
use crate::delivery::{Delivery, Origin};
use crate::error::{HandlerError, SendError};
use crate::headers::Headers;
use crate::producer::{Outbound, Producer, Transport};
use crate::span;

/// What the names of all headers about a letter begin with.
pub(crate) const PREFIX: &str = "dead-letter-";
/// Why the message was given up.
pub(crate) const REASON: &str = "dead-letter-reason";
/// The class of the error.
const ERROR_TYPE: &str = "dead-letter-error-type";
/// When the message was given up first, and now, as seconds of the Unix epoch: a redriven one may come back.
pub(crate) const FIRST_TIME: &str = "dead-letter-first-time";
pub(crate) const LAST_TIME: &str = "dead-letter-last-time";
/// All but the reason, where there is room for few headers.
pub(crate) const ORIGIN: &str = "dead-letter-origin";
/// What found no place in the letter.
pub(crate) const OMITTED: &str = "dead-letter-omitted";
/// Pub/Sub takes no attribute value of more than 1024 bytes.
const LONGEST_REASON: usize = 1024;

/// Where messages go that were given up. Every [`Producer`] is such a place.
pub trait DeadLetters: Send + Sync + 'static {
    /// Puts the letter there; answers when it is safe.
    fn send<'a>(&'a self, letter: Letter<'a>) -> BoxFuture<'a, Result<(), SendError>>;
}

/// A message that was given up.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// The message, as it was delivered the last time.
    pub delivery: &'a Delivery,
    /// Why it was given up.
    pub reason: &'a HandlerError,
}

impl<'a> Letter<'a> {
    pub(crate) fn new(delivery: &'a Delivery, reason: &'a HandlerError) -> Self {
        Self { delivery, reason }
    }

    /// The message's own headers, and what tells where it comes from, as text: `dead-letter-reason`, `-error-type`,
    /// `-topic` or `-queue`, `-partition`, `-offset`, `-consumer-group`, `-subscription`, `-message-id`, `-attempts`,
    /// `-first-time`, `-last-time`.
    ///
    /// On Kafka those that it has too are the names of `SmallRye` Reactive Messaging.
    pub fn headers(&self) -> Headers {
        let mut headers = self.delivery.headers().clone();
        for (name, value) in self.origin(&now()) {
            headers.set(name, value);
        }
        headers
    }

    fn origin(&self, now: &str) -> Vec<(&'static str, String)> {
        let delivery = self.delivery;
        let earlier = delivery.headers().text(FIRST_TIME);
        let mut origin = vec![
            (REASON, cut(&format!("{:#}", self.reason))),
            (ERROR_TYPE, self.reason.error_type().into_owned()),
            ("dead-letter-message-id", delivery.message_id().to_owned()),
            ("dead-letter-attempts", delivery.attempt().to_string()),
            (FIRST_TIME, earlier.unwrap_or(now).to_owned()),
            (LAST_TIME, now.to_owned()),
        ];
        let destination = delivery.destination().to_owned();
        match delivery.origin() {
            Origin::Kafka {
                group,
                partition,
                offset,
                ..
            } => origin.extend([
                ("dead-letter-topic", destination),
                ("dead-letter-partition", partition.to_string()),
                ("dead-letter-offset", offset.to_string()),
                ("dead-letter-consumer-group", group.to_string()),
            ]),
            Origin::Sqs { .. } => origin.push(("dead-letter-queue", destination)),
            Origin::PubSub { subscription } => origin.extend([
                ("dead-letter-topic", destination),
                ("dead-letter-subscription", subscription.to_string()),
            ]),
        }
        origin
    }

    /// The origin in two headers, for a place that has room for few: `dead-letter-reason`, and the rest as JSON in
    /// `dead-letter-origin`.
    fn compact_origin(&self, now: &str) -> Vec<(&'static str, String)> {
        let mut origin = self.origin(now);
        let rest: serde_json::Map<_, _> = origin
            .drain(1..)
            .map(|(name, value)| (name.trim_start_matches(PREFIX).to_owned(), value.into()))
            .collect();
        origin.push((ORIGIN, serde_json::Value::from(rest).to_string()));
        origin
    }

    /// What is sent if everything has room; else without the headers; else without the payload.
    fn forms(&self, few_headers: bool) -> [Outbound; 3] {
        let origin = if few_headers {
            self.compact_origin(&now())
        } else {
            self.origin(&now())
        };
        let mut headers = self.delivery.headers().clone();
        for (name, value) in &origin {
            headers.set(name, value.clone());
        }
        let whole = Outbound {
            context: Context::new(),
            key: self.delivery.key().cloned(),
            payload: self.delivery.payload().cloned(),
            headers,
            deduplication_id: Some(self.delivery.message_id().to_owned()),
        };
        let size = whole.payload.as_ref().map_or(0, bytes::Bytes::len);
        let mut bare = Outbound {
            headers: origin.into_iter().collect(),
            ..whole.clone()
        };
        bare.headers.append(OMITTED, "headers");
        let mut empty = Outbound {
            payload: Some("{}".into()),
            ..bare.clone()
        };
        let omitted = format!("headers, payload of {size} bytes");
        empty.headers.set(OMITTED, omitted);
        [whole, bare, empty]
    }
}

impl<T: Transport, C: Send + Sync + 'static> DeadLetters for Producer<T, C> {
    fn send<'a>(&'a self, letter: Letter<'a>) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            let (last_attempt, parent) = (Span::current(), current());
            let mut sent = Ok(());
            for mut outbound in letter.forms(T::FEW_HEADERS) {
                let span = span::send(self.destination(), parent.clone());
                span::link(&span, &last_attempt);
                outbound.context = span::context(&span, &parent);
                sent = self.transmit(outbound, &span).await.map(drop);
                match &sent {
                    Err(SendError::Refused { reason, .. }) => {
                        tracing::warn!(
                            reason,
                            "the dead letter is refused, will be sent without what does not fit"
                        );
                    }
                    _ => break,
                }
            }
            sent
        })
    }
}

fn cut(reason: &str) -> String {
    reason[..reason.floor_char_boundary(LONGEST_REASON)].to_owned()
}

fn now() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs().to_string()
}
