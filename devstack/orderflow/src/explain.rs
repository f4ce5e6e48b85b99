//! Why the story of an order stops where it does: who should read its message, and where its other half is.

use std::collections::BTreeMap;

use story::{JaegerClient, Kind, Span, Story, TraceId, Value};

use crate::service::Service;
use crate::status::Services;

/// Who reads what is sent where.
const READERS: [(&str, &[Service]); 4] = [
    ("order.created", &[Service::Classifier]),
    ("classification-jobs", &[Service::Classifier]),
    ("order.classified", &[Service::Orders]),
    ("order.ended", &[Service::Email, Service::Inventory]),
];

/// Every service that reads messages.
const ALL_READERS: [Service; 4] = [
    Service::Classifier,
    Service::Orders,
    Service::Email,
    Service::Inventory,
];

/// A message that was sent, and that one of its readers has not taken, as far as the story goes.
#[derive(Debug)]
pub(crate) struct Untaken<'a> {
    sent: &'a Span,
    destination: String,
    reader: Service,
}

/// The messages of a story that somebody should still read, by the time they were sent.
pub(crate) fn untaken(story: &Story) -> Vec<Untaken<'_>> {
    let sent = story
        .spans()
        .iter()
        .filter(|span| span.kind == Kind::Producer && !span.is_error());
    sent.flat_map(|sent| {
        let destination = destination(sent);
        let row = READERS.iter().find(|(name, _)| *name == destination);
        let readers = row
            .map_or(&[] as &[Service], |(_, readers)| readers)
            .iter()
            .copied();
        readers
            .filter(|reader| !was_taken(story, sent, *reader))
            .map(move |reader| Untaken {
                sent,
                destination: destination.clone(),
                reader,
            })
    })
    .collect()
}

fn was_taken(story: &Story, sent: &Span, reader: Service) -> bool {
    let takers = story.children(sent).chain(story.backlinks(sent));
    takers
        .into_iter()
        .any(|span| span.kind == Kind::Consumer && span.service == reader.name())
}

fn destination(span: &Span) -> String {
    span.attribute("messaging.destination.name")
        .map(ToString::to_string)
        .unwrap_or_default()
}

impl Untaken<'_> {
    /// Whether the order has ended all the same, when this message is on its way.
    pub(crate) fn follows_the_end(&self) -> bool {
        self.destination == "order.ended"
    }

    /// Whether its reader is known not to read: it is stopped or paused, or has died.
    pub(crate) fn is_stuck(&self, services: Option<&Services>) -> bool {
        services.is_some_and(|services| services.is_absent(self.reader))
    }

    fn broker(&self) -> &'static str {
        let system = self
            .sent
            .attribute("messaging.system")
            .map(ToString::to_string);
        match system.as_deref() {
            Some("kafka") => "Kafka",
            Some("aws_sqs") => "SQS",
            Some("gcp_pubsub") => "Pub/Sub",
            _ => "its broker",
        }
    }

    /// The message, where it waits, and what is known of who should read it.
    fn waits(&self, trouble: Option<&str>) -> String {
        let (broker, destination, reader) = (self.broker(), &self.destination, self.reader.name());
        match trouble {
            Some(trouble) => {
                format!("waits in {broker} (`{destination}`): nobody reads it; {trouble}")
            }
            None => format!("waits in {broker} (`{destination}`) for `{reader}`"),
        }
    }
}

/// Whether everything that should follow from an order is in its story.
pub(crate) fn is_complete(story: &Story) -> bool {
    let ended = story
        .spans()
        .iter()
        .any(|span| span.kind == Kind::Producer && destination(span) == "order.ended");
    ended && untaken(story).is_empty()
}

/// The order that a story is about, if one of its spans says so.
pub(crate) fn order_of(story: &Story) -> Option<String> {
    let mut ids = story.spans().iter().filter_map(|span| {
        let value = span.attribute("orderflow.order.id")?;
        matches!(value, Value::Str(_)).then(|| value.to_string())
    });
    ids.next()
}

/// Finds out what a story alone does not tell.
#[derive(Debug)]
pub(crate) struct Explainer<'a> {
    pub(crate) client: &'a JaegerClient,
    /// Absent for a stack that somebody else started.
    pub(crate) services: Option<&'a Services>,
}

impl Explainer<'_> {
    /// What keeps a story that is not complete from going on, a sentence each; empty for one that is.
    pub(crate) async fn explain(&self, story: &Story, order: Option<&str>) -> Vec<String> {
        if is_complete(story) {
            return Vec::new();
        }
        let elsewhere = match order.map(ToOwned::to_owned).or_else(|| order_of(story)) {
            Some(order) => self.elsewhere(story, &order).await,
            None => Vec::new(),
        };
        let mut sentences: Vec<String> = elsewhere.iter().map(|span| self.goes_on(span)).collect();
        for message in untaken(story) {
            let was_taken = elsewhere.iter().any(|span| {
                span.service == message.reader.name() && destination(span) == message.destination
            });
            if !was_taken {
                let trouble = self.trouble(message.reader).await;
                sentences.push(message.waits(trouble.as_deref()));
            }
        }
        sentences
    }

    /// The first span of each trace that handled messages of the order and that nothing links to its story.
    async fn elsewhere(&self, story: &Story, order: &str) -> Vec<Span> {
        let known = story.traces();
        let mut by_trace: BTreeMap<TraceId, Span> = BTreeMap::new();
        for reader in ALL_READERS {
            // A store that does not answer has said so before.
            let handled = self
                .client
                .handled(reader.name(), order)
                .await
                .unwrap_or_default();
            for span in handled
                .into_iter()
                .filter(|span| !known.contains(&span.trace_id))
            {
                let first = by_trace
                    .entry(span.trace_id)
                    .or_insert_with(|| span.clone());
                if span.start < first.start {
                    *first = span;
                }
            }
        }
        let mut first: Vec<Span> = by_trace.into_values().collect();
        first.sort_by_key(|span| span.start);
        first
    }

    fn goes_on(&self, span: &Span) -> String {
        let (name, service, trace) = (&span.name, &span.service, span.trace_id);
        let store = self.client.base_url();
        let fault = self.services.and_then(|services| services.faults.first());
        let because = fault.map_or_else(
            || "its context was lost on the way".to_owned(),
            |fault| format!("its context was lost on the way, and {fault} is switched on"),
        );
        format!(
            "goes on in another trace with `{name}` ({service}), since {because}: {store}/trace/{trace}"
        )
    }

    /// What keeps a reader from reading.
    pub(crate) async fn trouble(&self, reader: Service) -> Option<String> {
        match self.services {
            Some(services) => services.trouble(reader).await,
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use story::{Attributes, SpanId, Status};

    use super::*;

    const TRACE: TraceId = TraceId([1; 16]);

    fn span(number: u8, kind: Kind, service: &str, destination: &str) -> Span {
        let text = |text: &str| Value::Str(text.to_owned());
        let attributes = Attributes::from([
            ("messaging.system".to_owned(), text("kafka")),
            ("messaging.destination.name".to_owned(), text(destination)),
        ]);
        Span {
            trace_id: TRACE,
            span_id: SpanId([number; 8]),
            parent: (number > 1).then_some(SpanId([1; 8])),
            name: format!("x {destination}"),
            service: service.to_owned(),
            kind,
            start: u64::from(number),
            end: u64::from(number) + 1,
            attributes,
            links: Vec::new(),
            status: Status::Unset,
            events: Vec::new(),
        }
    }

    fn waiting(spans: &[Span]) -> Vec<String> {
        let story = Story::new(TRACE, spans.to_vec(), Vec::new());
        let untaken = untaken(&story);
        untaken.iter().map(|message| message.waits(None)).collect()
    }

    #[test]
    fn a_message_that_nobody_took_waits_for_each_of_its_readers() {
        let created = span(1, Kind::Producer, "orders", "order.created");
        assert_eq!(
            waiting(&[created]),
            ["waits in Kafka (`order.created`) for `classifier`"]
        );
        let ended = span(1, Kind::Producer, "orders", "order.ended");
        let email = span(2, Kind::Consumer, "email", "order.ended");
        assert_eq!(
            waiting(&[ended, email]),
            ["waits in Kafka (`order.ended`) for `inventory`"]
        );
    }

    #[test]
    fn a_message_that_was_taken_in_a_linked_trace_does_not_wait() {
        let created = span(1, Kind::Producer, "orders", "order.created");
        let taken = Span {
            trace_id: TraceId([2; 16]),
            parent: None,
            links: vec![created.reference()],
            ..span(2, Kind::Consumer, "classifier", "order.created")
        };
        assert!(waiting(&[created, taken]).is_empty());
    }

    #[test]
    fn another_teams_consumer_is_not_the_one_that_is_waited_for() {
        let created = span(1, Kind::Producer, "orders", "order.created");
        let guest = span(2, Kind::Consumer, "audit", "order.created");
        assert_eq!(waiting(&[created, guest]).len(), 1);
    }

    #[test]
    fn a_paused_reader_is_the_reason() {
        let created = span(1, Kind::Producer, "orders", "order.created");
        let story = Story::new(TRACE, vec![created], Vec::new());
        let trouble = "`classifier` is paused (`orderflow resume classifier`)";
        assert_eq!(
            untaken(&story)[0].waits(Some(trouble)),
            "waits in Kafka (`order.created`): nobody reads it; `classifier` is paused (`orderflow resume classifier`)"
        );
    }

    #[test]
    fn a_story_is_complete_when_everybody_has_heard_of_its_end() {
        let ended = span(1, Kind::Producer, "orders", "order.ended");
        let email = span(2, Kind::Consumer, "email", "order.ended");
        let stock = span(3, Kind::Consumer, "inventory", "order.ended");
        let story = |spans: &[&Span]| {
            let spans = spans.iter().map(|span| (*span).clone()).collect();
            Story::new(TRACE, spans, Vec::new())
        };
        assert!(is_complete(&story(&[&ended, &email, &stock])));
        assert!(!is_complete(&story(&[&ended, &email])));
        assert!(!is_complete(&story(&[])));
    }
}
