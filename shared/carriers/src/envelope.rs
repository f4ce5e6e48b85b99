//! What SNS and EventBridge put around a message on its way to a queue or to an endpoint.
//!
//! Most bodies are no envelope, so a search for its marks comes before any parsing. What is not of the expected form is
//! no envelope either; nothing here fails.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::attributes;
use crate::members::Members;
use crate::w3c::{FIELDS, TRACEPARENT, TRACESTATE, is_usable};

/// Where Datadog's libraries put the context in the detail of an event.
/// <https://docs.datadoghq.com/tracing/trace_collection/>
const DATADOG: &str = "_datadog";

/// An envelope that was opened.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    /// What stands on it that may be context: names and texts.
    pub(crate) texts: HashMap<String, String>,
    /// What is in it.
    pub(crate) payload: Cow<'a, str>,
}

impl<'a> Envelope<'a> {
    /// Opens `body`, and in an envelope of SNS also the event of EventBridge that it may hold.
    pub(crate) fn open(body: &'a str) -> Option<Self> {
        let members = looks_like_one(body).then(|| Members::of(body))??;
        Self::of_notification(&members).or_else(|| Self::of_event_or_detail(body, &members))
    }

    fn of_event_or_detail(body: &'a str, members: &Members<'a>) -> Option<Self> {
        Self::of_event(members).or_else(|| Self::of_detail(body, members))
    }

    /// `{"Type": "Notification", "TopicArn": "…", "Message": "…", "MessageAttributes": {"name": {"Type": "String", "Value": "…"}}}`
    /// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>
    fn of_notification(members: &Members<'a>) -> Option<Self> {
        let kind = members.text("Type")?;
        // An application may have a type of that name, and no topic.
        members.text("TopicArn")?;
        let message = members.text("Message").filter(|_| kind == "Notification")?;
        let attributes = members.object("MessageAttributes").unwrap_or_default();
        let values = attributes.objects().filter(|(_, value)| {
            let kind = value.text("Type");
            kind.is_some_and(|kind| kind != "Binary")
        });
        let texts =
            values.filter_map(|(name, value)| Some((name.to_owned(), value.text("Value")?)));
        let outer = Self {
            texts: texts.collect(),
            payload: Cow::Owned(message),
        };
        Some(outer.with_what_is_inside())
    }

    /// `{"source": "…", "detail-type": "…", "detail": {…}}`
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>
    fn of_event(members: &Members<'a>) -> Option<Self> {
        members.text("detail-type")?;
        let payload = members.get("detail")?;
        let detail = Members::of(payload)?;
        let mut texts = detail.texts();
        if !names_a_span(&texts) {
            texts.retain(|name, _| !is_trace(name));
            let datadog = detail.object(DATADOG).map(|datadog| datadog.texts());
            texts.extend(datadog.into_iter().flatten());
        }
        Some(Self {
            texts,
            payload: Cow::Borrowed(payload),
        })
    }

    /// What a rule with the input path `$.detail` or an input transformer left of an event: an object with context.
    ///
    /// There is nothing else to know it by, so only a context that is one counts.
    fn of_detail(body: &'a str, members: &Members<'a>) -> Option<Self> {
        let mut texts = members.texts();
        texts.retain(|name, _| is_field(name));
        names_a_span(&texts).then_some(Self {
            texts,
            payload: Cow::Borrowed(body),
        })
    }

    /// A message may be an event that EventBridge sent to a topic: SNS adds no attributes to it. A notification that was
    /// published is a message like any other.
    fn with_what_is_inside(self) -> Self {
        let members = looks_like_one(&self.payload).then(|| Members::of(&self.payload));
        let inner = members.flatten().and_then(|members| {
            let inner = Envelope::of_event_or_detail(&self.payload, &members)?;
            Some((inner.texts, inner.payload.into_owned()))
        });
        let Some((found, payload)) = inner else {
            return self;
        };
        let mut texts = self.texts;
        if !names_a_span(&texts) {
            texts.retain(|name, _| !is_trace(name));
            texts.extend(found);
        }
        Self {
            texts,
            payload: Cow::Owned(payload),
        }
    }

    /// Its texts, without a trace that names no span.
    pub(crate) fn context(self) -> HashMap<String, String> {
        let mut texts = self.texts;
        if !names_a_span(&texts) {
            texts.retain(|name, _| !is_trace(name));
        }
        texts
    }
}

/// Whether it pays to parse `body`.
fn looks_like_one(body: &str) -> bool {
    let marks = ["\"Notification\"", "\"detail-type\"", "\"traceparent\""];
    body.trim_start().starts_with('{') && marks.iter().any(|mark| body.contains(mark))
}

/// What was published: SNS's message, the detail of EventBridge's event, the one within the other, or `body` itself if
/// neither stands around it.
///
/// ```
/// # #[cfg(feature = "sqs")] {
/// use otel_carriers::sqs::payload;
///
/// let notification = r#"{"Type": "Notification", "TopicArn": "arn:aws:sns:…:orders", "Message": "an order"}"#;
/// assert_eq!(payload(notification), "an order");
/// assert_eq!(payload(r#"{"detail-type": "order.created", "detail": {"id": 7}}"#), r#"{"id": 7}"#);
/// assert_eq!(payload("an order"), "an order");
/// # }
/// ```
pub fn payload(body: &str) -> Cow<'_, str> {
    Envelope::open(body).map_or(Cow::Borrowed(body), |envelope| envelope.payload)
}

/// Whether there is a `traceparent` that can be used.
pub(crate) fn names_a_span(texts: &HashMap<String, String>) -> bool {
    attributes::find(texts, TRACEPARENT).is_some_and(|text| is_usable(text))
}

fn is_field(name: &str) -> bool {
    FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name))
}

/// `traceparent` and `tracestate`, which belong together.
pub(crate) fn is_trace(name: &str) -> bool {
    name.eq_ignore_ascii_case(TRACEPARENT) || name.eq_ignore_ascii_case(TRACESTATE)
}
