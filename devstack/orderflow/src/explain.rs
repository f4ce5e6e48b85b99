//! Why the story of an order stops where it does: who should read its message, and where its other half is.

use std::collections::HashSet;

use story::{JaegerClient, Span, Story, Untaken};

use crate::answers::Services;
use crate::service::SERVICES;

/// Finds out what a story alone does not tell.
#[derive(Debug)]
pub(crate) struct Explainer<'a> {
    pub(crate) client: JaegerClient,
    /// Absent for a stack that somebody else started.
    pub(crate) services: Option<&'a Services>,
}

impl Explainer<'_> {
    /// What keeps a story that is not complete from going on, a sentence each; empty for one that is.
    pub(crate) async fn explain(&self, story: &Story, order: Option<&str>) -> Vec<String> {
        let untaken = story.untaken();
        if untaken.is_empty() && story.flaw().is_none() {
            return Vec::new();
        }
        let elsewhere = match order.or_else(|| order_of(story)) {
            Some(order) => self.elsewhere(story, order).await,
            None => Vec::new(),
        };
        let mut sentences: Vec<String> = elsewhere.iter().map(|span| self.goes_on(span)).collect();
        for message in untaken {
            let is_its_reading = |span: &Span| {
                let destination = span.text("messaging.destination.name");
                span.service == message.reader && destination == message.destination()
            };
            if !elsewhere.iter().any(is_its_reading) {
                let trouble = match self.services {
                    Some(services) => services.trouble(message.reader).await,
                    None => None,
                };
                sentences.push(waits(&message, trouble.as_deref()));
            }
        }
        sentences
    }

    /// Whether the reader of a message is known not to read: it is stopped or paused, or has died.
    pub(crate) fn is_stuck(&self, message: &Untaken<'_>) -> bool {
        let absence = |services: &Services| services.absence(message.reader);
        self.services.and_then(absence).is_some()
    }

    /// The first span of each trace that handled messages of the order and that nothing links to its story.
    async fn elsewhere(&self, story: &Story, order: &str) -> Vec<Span> {
        let mut spans = Vec::new();
        for reader in SERVICES.iter().filter(|service| service.has_messages()) {
            // A store that does not answer has said so before.
            let handled = self.client.handled(reader.name, order).await;
            spans.extend(handled.unwrap_or_default());
        }
        spans.sort_by_key(|span| span.start);
        let mut known: HashSet<_> = story.traces().into_iter().collect();
        spans.retain(|span| known.insert(span.trace_id));
        spans
    }

    fn goes_on(&self, span: &Span) -> String {
        let (name, service, trace) = (&span.name, &span.service, span.trace_id);
        let store = self.client.base_url();
        let fault = self.services.and_then(|services| services.faults.first());
        let fault = fault.map(|fault| format!(", and {fault} is switched on"));
        let fault = fault.unwrap_or_default();
        format!(
            "goes on in another trace with `{name}` ({service}), since its context was lost on the way{fault}: \
             {store}/trace/{trace}"
        )
    }
}

/// The order that a story is about, if one of its spans says so.
fn order_of(story: &Story) -> Option<&str> {
    let spans = story.spans().iter();
    let mut ids = spans.map(|span| span.text("orderflow.order.id"));
    ids.find(|id| !id.is_empty())
}

/// The message, where it waits, and what is known of who should read it.
fn waits(message: &Untaken<'_>, trouble: Option<&str>) -> String {
    let broker = match message.sent.text("messaging.system") {
        "kafka" => "Kafka",
        "aws_sqs" => "SQS",
        "gcp_pubsub" => "Pub/Sub",
        _ => "its broker",
    };
    let (destination, reader) = (message.destination(), message.reader);
    match trouble {
        Some(trouble) => format!("waits in {broker} (`{destination}`): nobody reads it; {trouble}"),
        None => format!("waits in {broker} (`{destination}`) for `{reader}`"),
    }
}

#[cfg(test)]
mod tests {
    use story::{Attributes, Kind, SpanId, Status, TraceId, Value};

    use super::*;

    #[test]
    fn a_paused_reader_is_the_reason() {
        let text = |text: &str| Value::from(text);
        let created = Span {
            trace_id: TraceId([1; 16]),
            span_id: SpanId([1; 8]),
            parent: None,
            name: "send order.created".to_owned(),
            service: "orders".to_owned(),
            kind: Kind::Producer,
            start: 1,
            end: 2,
            attributes: Attributes::from([
                ("messaging.system".to_owned(), text("kafka")),
                (
                    "messaging.destination.name".to_owned(),
                    text("order.created"),
                ),
            ]),
            links: Vec::new(),
            status: Status::Unset,
            events: Vec::new(),
        };
        let story = Story::new(created.trace_id, vec![created], Vec::new());
        let message = story.untaken()[0];
        assert_eq!(
            waits(&message, None),
            "waits in Kafka (`order.created`) for `classifier`"
        );
        let trouble = "`classifier` is paused (`orderflow resume classifier`)";
        assert_eq!(
            waits(&message, Some(trouble)),
            "waits in Kafka (`order.created`): nobody reads it; `classifier` is paused (`orderflow resume classifier`)"
        );
        assert_eq!(message.reader, "classifier");
    }
}
