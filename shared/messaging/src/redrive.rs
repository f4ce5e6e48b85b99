//! Dead letters found again: what they say, and how they go back where they came from.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::context::extract;
use crate::dead_letter::{FIRST_TIME, LAST_TIME, OMITTED, ORIGIN, PREFIX, REASON};
use crate::error::SendError;
use crate::headers::Headers;
use crate::producer::{Outbound, Producer, Transport};
use crate::span;

/// What Pub/Sub itself writes into a message that its dead-letter policy moves.
const MOVED_BY_PUBSUB: &str = "CloudPubSubDeadLetterSource";

/// A message in the place of those that were given up: the message as it was, and what the letter says about it.
///
/// Read it from what the broker gives, and send it back with [`Producer::redrive`].
#[derive(Debug, Clone)]
pub struct DeadLetter {
    key: Option<Bytes>,
    payload: Option<Bytes>,
    headers: Headers,
    facts: Vec<(String, String)>,
}

impl DeadLetter {
    /// Tells the message's own headers from those that say where it comes from.
    ///
    /// A message without the latter, for example one that the broker itself has moved, is a letter that says little.
    pub fn read(key: Option<Bytes>, payload: Option<Bytes>, headers: &Headers) -> Self {
        let mut own = Headers::new();
        let mut facts = Vec::new();
        for (name, value) in headers.iter() {
            let text = value.map(|value| String::from_utf8_lossy(value));
            match (text, value) {
                (Some(text), _) if name == ORIGIN => facts.extend(expand(&text)),
                (Some(text), _) if is_about_the_letter(name) => {
                    facts.push((name.to_owned(), text.into_owned()));
                }
                (_, Some(value)) => own.append(name, value.clone()),
                (_, None) => own.append_null(name),
            }
        }
        Self {
            key,
            payload,
            headers: own,
            facts,
        }
    }

    /// The message's key: see [`Delivery::key`](crate::Delivery::key).
    pub fn key(&self) -> Option<&Bytes> {
        self.key.as_ref()
    }

    /// The message's payload.
    pub fn payload(&self) -> Option<&Bytes> {
        self.payload.as_ref()
    }

    /// The message's own headers; the trace context among them is the letter's.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Everything that the letter says about where it comes from, by the names of [`Letter::headers`](crate::Letter::headers).
    pub fn facts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.facts
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn fact(&self, name: &str) -> Option<&str> {
        self.facts()
            .find_map(|(other, value)| (other == name).then_some(value))
    }

    /// Why the message was given up.
    pub fn reason(&self) -> Option<&str> {
        self.fact(REASON)
    }

    /// The topic or queue that it was given up from.
    pub fn origin(&self) -> Option<&str> {
        let queue = || self.fact("dead-letter-queue");
        self.fact("dead-letter-topic").or_else(queue)
    }

    /// The consumer group of Kafka that gave it up.
    pub fn consumer_group(&self) -> Option<&str> {
        self.fact("dead-letter-consumer-group")
    }

    /// How often it was tried.
    pub fn attempts(&self) -> Option<u32> {
        let by_pubsub = || self.fact("CloudPubSubDeadLetterSourceDeliveryCount");
        let attempts = self.fact("dead-letter-attempts").or_else(by_pubsub);
        attempts?.parse().ok()
    }

    /// When it was given up first, and last.
    pub fn given_up(&self) -> Option<[SystemTime; 2]> {
        let last = self.time(LAST_TIME)?;
        Some([self.time(FIRST_TIME).unwrap_or(last), last])
    }

    fn time(&self, name: &str) -> Option<SystemTime> {
        let seconds = self.fact(name)?.parse().ok()?;
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }

    /// What of the message found no place in the letter.
    pub fn omitted(&self) -> Option<&str> {
        self.fact(OMITTED)
    }

    /// The trace that it was given up in, as its `traceparent` says: 32 hexadecimal digits.
    ///
    /// Also where no propagator is set up, for those who only read.
    pub fn trace_id(&self) -> Option<&str> {
        let id = self.headers.text("traceparent")?.trim().split('-').nth(1)?;
        let is_id = id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit());
        (is_id && id.bytes().any(|digit| digit != b'0')).then_some(id)
    }

    /// A value of the `baggage` that came with it, as it was written there.
    pub fn baggage(&self, key: &str) -> Option<&str> {
        let entries = self.headers.text("baggage")?.split(',');
        let mut pairs = entries.filter_map(|entry| entry.split_once('='));
        let (_, value) = pairs.find(|(name, _)| name.trim() == key)?;
        value.split(';').next().map(str::trim)
    }

    /// What a FIFO queue knows this death of the message by: the message's own id would be that of a duplicate.
    fn deduplication_id(&self) -> Option<String> {
        let id = self.fact("dead-letter-message-id")?;
        let when = self.fact(LAST_TIME).unwrap_or_default();
        Some(format!("{id}-{when}"))
    }
}

/// What became of a letter that was sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redriven {
    /// The broker's id of the new message; on Kafka `topic/partition/offset`.
    pub message_id: String,
    /// The new trace, as 32 hexadecimal digits; `None` when it is not recorded.
    pub trace_id: Option<String>,
}

#[expect(
    private_bounds,
    reason = "the transports are those of this crate's modules"
)]
impl<T: Transport, C: Send + Sync + 'static> Producer<T, C> {
    /// Sends the message of a dead letter once more, with its payload, its key and its own headers; returns when the
    /// broker has it. The letter is the caller's to remove, and only then.
    ///
    /// The `send` span begins a new trace, since the old one may have ended long ago, and is linked to the span that sent
    /// the letter; the baggage goes along. Where nothing is traced, the message keeps the letter's context.
    /// A letter whose payload found no place in it is refused.
    pub async fn redrive(&self, letter: &DeadLetter) -> Result<Redriven, SendError> {
        let destination = self.destination();
        if letter
            .omitted()
            .is_some_and(|what| what.contains("payload"))
        {
            let reason = "the letter does not have the message's payload";
            return Err(SendError::refused(&destination.name, "omitted", reason));
        }
        let came = context(&letter.headers);
        let span = span::redrive(destination, &came);
        let outbound = Outbound {
            context: span::context(&span, &came),
            key: letter.key.clone(),
            payload: letter.payload.clone(),
            headers: letter.headers.clone(),
            deduplication_id: letter.deduplication_id(),
        };
        let sent = self.transmit(outbound, &span).await?;
        let new = span.context().span().span_context().clone();
        Ok(Redriven {
            message_id: sent.message_id,
            trace_id: new.is_sampled().then(|| new.trace_id().to_string()),
        })
    }
}

fn is_about_the_letter(name: &str) -> bool {
    name.starts_with(PREFIX) || name.starts_with(MOVED_BY_PUBSUB)
}

/// The facts in a letter that has room for few headers; what cannot be read says nothing.
fn expand(origin: &str) -> Vec<(String, String)> {
    let facts: HashMap<String, String> = serde_json::from_str(origin).unwrap_or_default();
    let mut facts: Vec<_> = facts
        .into_iter()
        .map(|(name, value)| (format!("{PREFIX}{name}"), value))
        .collect();
    facts.sort();
    facts
}

fn context(headers: &Headers) -> Context {
    let text = |value: Option<&Bytes>| String::from_utf8(value?.to_vec()).ok();
    let texts = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_lowercase(), text(value)?)));
    extract(&texts.collect::<HashMap<_, _>>())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::{SpanId, SpanKind};
    use telemetry::testing::{Recorder, attribute};
    use tracing::Span;

    use super::*;
    use crate::context::inject;
    use crate::dead_letter::{DeadLetters, Letter};
    use crate::destination::Destination;
    use crate::error::{ConnectError, HandlerError};
    use crate::producer::Sent;
    use crate::testing::{destination, keyed};

    /// Takes everything, up to `most` bytes of payload, and keeps it as a broker would.
    struct Place<const FEW: bool> {
        destination: Destination,
        most: usize,
        taken: Arc<Mutex<Vec<Outbound>>>,
    }

    impl<const FEW: bool> Place<FEW> {
        fn producer(most: usize) -> (Producer<Self>, Arc<Mutex<Vec<Outbound>>>) {
            let taken = Arc::default();
            let place = Self {
                destination: destination("order.created"),
                most,
                taken: Arc::clone(&taken),
            };
            (Producer::new(place), taken)
        }
    }

    impl<const FEW: bool> Transport for Place<FEW> {
        const FEW_HEADERS: bool = FEW;

        fn destination(&self) -> &Destination {
            &self.destination
        }

        async fn transmit(
            &self,
            mut message: Outbound,
            _: &Span,
            _: bool,
        ) -> Result<Sent, SendError> {
            if message.payload.as_ref().map_or(0, Bytes::len) > self.most {
                return Err(SendError::refused("order.created", "size", "too large"));
            }
            let mut carrier = HashMap::<String, String>::new();
            inject(&message.context, &mut carrier);
            for (name, value) in carrier.into_iter().filter(|(_, value)| !value.is_empty()) {
                message.headers.set(&name, value);
            }
            self.taken.lock().unwrap().push(message);
            let message_id = "order.created/0/8".to_owned();
            Ok(Sent { message_id })
        }

        async fn check(&self) -> Result<(), ConnectError> {
            Ok(())
        }
    }

    /// A letter about a message with `payload`, as it lies in a place for payloads of up to `most` bytes.
    async fn letter<const FEW: bool>(payload: &str, most: usize) -> DeadLetter {
        let (letters, taken) = Place::<FEW>::producer(most);
        let reason = HandlerError::reject(anyhow::anyhow!("no such item"));
        let delivery = keyed("order-7", payload, 3);
        let sent = letters.send_letter(Letter::new(&delivery, &reason));
        sent.await.unwrap();
        let sent = taken.lock().unwrap().pop().unwrap();
        DeadLetter::read(sent.key, sent.payload, &sent.headers)
    }

    impl<const FEW: bool> Producer<Place<FEW>> {
        async fn send_letter(&self, letter: Letter<'_>) -> Result<(), SendError> {
            DeadLetters::send(self, letter).await
        }
    }

    #[tokio::test]
    async fn a_letter_says_where_it_comes_from_with_many_headers_or_few() {
        let _recorder = Recorder::start();
        for letter in [
            letter::<false>("{}", 100).await,
            letter::<true>("{}", 100).await,
        ] {
            assert_eq!(letter.reason(), Some("no such item"));
            assert_eq!(letter.origin(), Some("order.created"));
            assert_eq!(letter.consumer_group(), Some("classifier"));
            assert_eq!(letter.attempts(), Some(3));
            let [first, last] = letter.given_up().unwrap();
            assert!(first == last && last.elapsed().unwrap() < Duration::from_mins(1));
            assert!(letter.trace_id().is_some());
            assert_eq!(letter.headers().text("tenant"), Some("acme"));
            let own = letter.headers().iter();
            assert!(own.into_iter().all(|(name, _)| !name.starts_with(PREFIX)));
        }
    }

    #[tokio::test]
    async fn a_redriven_message_is_the_old_one_in_a_new_trace_that_is_linked_to_the_letters() {
        let letter = {
            let _recorder = Recorder::start();
            letter::<true>(r#"{"n":1}"#, 100).await
        };
        let recorder = Recorder::start();
        let (origin, taken) = Place::<false>::producer(100);

        let redriven = origin.redrive(&letter).await.unwrap();

        let span = recorder.span("send order.created");
        assert_eq!(span.span_kind, SpanKind::Producer);
        assert_eq!(span.parent_span_id, SpanId::INVALID);
        assert_eq!(span.links.len(), 1);
        let linked = span.links[0].span_context.trace_id().to_string();
        assert_eq!(Some(linked.as_str()), letter.trace_id());
        let new = span.span_context.trace_id().to_string();
        assert_ne!(new, linked);
        assert_eq!(redriven.trace_id, Some(new.clone()));
        assert_eq!(
            attribute(&span, "messaging.operation.type").as_deref(),
            Some("send")
        );

        let message = taken.lock().unwrap().pop().unwrap();
        assert_eq!(message.key.as_deref(), Some(&b"order-7"[..]));
        assert_eq!(message.payload.as_deref(), Some(&br#"{"n":1}"#[..]));
        let traceparent = message.headers.text("traceparent").unwrap();
        assert!(traceparent.contains(&new), "{traceparent}");
        let mut names: Vec<_> = message.headers.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        assert_eq!(names, ["tenant", "traceparent"]);
    }

    #[tokio::test]
    async fn a_letter_without_the_payload_is_not_redriven() {
        let _recorder = Recorder::start();
        let letter = letter::<false>("far too large", 5).await;
        let (origin, taken) = Place::<false>::producer(100);
        let refused = origin.redrive(&letter).await.unwrap_err();
        assert!(refused.is_permanent(), "{refused}");
        assert!(taken.lock().unwrap().is_empty());
    }

    #[test]
    fn trace_and_baggage_are_read_without_a_propagator() {
        let read = |name: &str, value: &str| {
            let headers = Headers::from_iter([(name.to_owned(), value.to_owned())]);
            DeadLetter::read(None, None, &headers)
        };
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let letter = read("traceparent", &format!("00-{trace}-b7ad6b7169203331-01"));
        assert_eq!(letter.trace_id(), Some(trace));
        for garbage in [
            "",
            "00-0af7",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        ] {
            assert_eq!(read("traceparent", garbage).trace_id(), None, "{garbage}");
        }
        let letter = read("baggage", "customer.tier=gold, order.id = 7;p=1");
        assert_eq!(letter.baggage("order.id"), Some("7"));
        assert_eq!(letter.baggage("order"), None);
    }

    #[test]
    fn what_the_broker_moved_says_little_and_is_read_all_the_same() {
        let headers = Headers::from_iter([
            ("CloudPubSubDeadLetterSourceDeliveryCount", "5"),
            ("dead-letter-origin", "{no json"),
            ("tenant", "acme"),
        ]);
        let letter = DeadLetter::read(None, Some("x".into()), &headers);
        assert_eq!((letter.attempts(), letter.reason()), (Some(5), None));
        assert_eq!((letter.origin(), letter.given_up()), (None, None));
        assert_eq!(letter.headers(), &Headers::from_iter([("tenant", "acme")]));
    }
}
