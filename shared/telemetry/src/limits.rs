//! Spans and log records no larger than their limits.
//!
//! The SDK counts attributes and does not measure them: one value of 60 KB on each span, such as a `User-Agent`, makes
//! batches that no backend takes.

use std::mem;

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger, LoggerProvider};
use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::SpanData;

use crate::environment::LogLimits;

/// Cuts each value of `span`, its events and its links to so many characters.
pub(crate) fn shorten_span(span: &mut SpanData, value_length: usize) {
    let own = span.attributes.iter_mut();
    let of_events = span.events.events.iter_mut();
    let of_links = span.links.links.iter_mut();
    let attributes = own
        .chain(of_events.flat_map(|event| &mut event.attributes))
        .chain(of_links.flat_map(|link| &mut link.attributes));
    for KeyValue { value, .. } in attributes {
        shorten_value(value, value_length);
    }
    if let Status::Error { description } = &mut span.status
        && let Some(end) = end(description, value_length)
    {
        *description = description[..end].to_owned().into();
    }
}

fn shorten_value(value: &mut Value, value_length: usize) {
    match value {
        Value::String(text) => shorten_text(text, value_length),
        Value::Array(Array::String(texts)) => texts
            .iter_mut()
            .for_each(|text| shorten_text(text, value_length)),
        _ => {}
    }
}

fn shorten_text(text: &mut StringValue, value_length: usize) {
    if let Some(end) = end(text.as_str(), value_length) {
        *text = text.as_str()[..end].to_owned().into();
    }
}

/// Where a text is to be cut: never inside a character.
fn end(text: &str, value_length: usize) -> Option<usize> {
    // No text has more characters than bytes.
    if text.len() <= value_length {
        return None;
    }
    let (end, _) = text.char_indices().nth(value_length)?;
    Some(end)
}

/// Keeps log records within their limits.
#[derive(Debug)]
pub(crate) struct LogRecords {
    limits: LogLimits,
    /// It makes records and never gets one: the attributes of a record cannot be changed, only written into another.
    blank: SdkLogger,
}

impl LogRecords {
    pub(crate) fn new(limits: LogLimits) -> Self {
        Self {
            limits,
            blank: SdkLoggerProvider::builder().build().logger(""),
        }
    }

    /// Cuts the attributes to their limits; the body is no attribute.
    pub(crate) fn shorten(&self, record: &mut SdkLogRecord) {
        let LogLimits {
            value_length,
            attributes,
        } = self.limits;
        let fits = record.attributes_iter().count() <= attributes
            && record
                .attributes_iter()
                .all(|(_, value)| fits(value, value_length));
        if fits {
            return;
        }
        let long = mem::replace(record, self.blank.create_log_record());
        copy_all_but_attributes(&long, record);
        for (key, value) in long.attributes_iter().take(attributes) {
            record.add_attribute(key.clone(), shortened(value, value_length));
        }
    }
}

fn copy_all_but_attributes(from: &SdkLogRecord, to: &mut SdkLogRecord) {
    if let Some(name) = from.event_name() {
        to.set_event_name(name);
    }
    if let Some(target) = from.target() {
        to.set_target(target.clone());
    }
    if let Some(time) = from.timestamp() {
        to.set_timestamp(time);
    }
    if let Some(time) = from.observed_timestamp() {
        to.set_observed_timestamp(time);
    }
    if let Some(context) = from.trace_context() {
        to.set_trace_context(context.trace_id, context.span_id, context.trace_flags);
    }
    if let Some(severity) = from.severity_text() {
        to.set_severity_text(severity);
    }
    if let Some(severity) = from.severity_number() {
        to.set_severity_number(severity);
    }
    if let Some(body) = from.body() {
        to.set_body(body.clone());
    }
}

fn fits(value: &AnyValue, value_length: usize) -> bool {
    match value {
        AnyValue::String(text) => end(text.as_str(), value_length).is_none(),
        AnyValue::Bytes(bytes) => bytes.len() <= value_length,
        AnyValue::ListAny(values) => values.iter().all(|value| fits(value, value_length)),
        AnyValue::Map(values) => values.values().all(|value| fits(value, value_length)),
        _ => true,
    }
}

fn shortened(value: &AnyValue, value_length: usize) -> AnyValue {
    match value {
        AnyValue::String(text) => {
            let mut text = text.clone();
            shorten_text(&mut text, value_length);
            AnyValue::String(text)
        }
        AnyValue::Bytes(bytes) => {
            let end = bytes.len().min(value_length);
            AnyValue::Bytes(Box::new(bytes[..end].to_vec()))
        }
        AnyValue::ListAny(values) => {
            let values = values.iter().map(|value| shortened(value, value_length));
            AnyValue::ListAny(Box::new(values.collect()))
        }
        AnyValue::Map(values) => {
            let values = values.iter();
            let values = values.map(|(key, value)| (key.clone(), shortened(value, value_length)));
            AnyValue::Map(Box::new(values.collect()))
        }
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use opentelemetry::logs::Severity;
    use opentelemetry::trace::{Event, Link, Span as _, SpanContext, Tracer, TracerProvider};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

    use super::*;

    fn long() -> KeyValue {
        KeyValue::new("long", "äöü€🦀x")
    }

    fn span() -> SpanData {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(exporter.clone())
            .build();
        let tracer = provider.tracer("test");
        let mut span = tracer.start("span");
        span.set_attributes([
            long(),
            KeyValue::new("number", 123_456),
            KeyValue::new(
                "list",
                Value::Array(Array::String(vec!["abcdefg".into(), "ab".into()])),
            ),
        ]);
        span.add_event("event", vec![long()]);
        span.add_link(SpanContext::NONE, vec![long()]);
        span.set_status(Status::error("abcdefg"));
        span.end();
        exporter.get_finished_spans().unwrap().remove(0)
    }

    #[test]
    fn every_value_of_a_span_is_cut_at_a_character() {
        let mut span = span();
        shorten_span(&mut span, 5);
        let values: Vec<_> = span
            .attributes
            .iter()
            .map(|pair| pair.value.to_string())
            .collect();
        assert_eq!(values, ["äöü€🦀", "123456", "[\"abcde\",\"ab\"]"]);
        let Event { attributes, .. } = &span.events.events[0];
        assert_eq!(attributes[0].value.as_str(), "äöü€🦀");
        let Link { attributes, .. } = &span.links.links[0];
        assert_eq!(attributes[0].value.as_str(), "äöü€🦀");
        assert_eq!(span.status, Status::error("abcde"));
    }

    #[test]
    fn what_fits_is_left_as_it_is() {
        for value_length in [6, 4096] {
            let mut shortened = span();
            shorten_span(&mut shortened, value_length.max(7));
            assert_eq!(shortened.attributes, span().attributes);
        }
    }

    #[test]
    fn a_limit_of_nothing_leaves_nothing() {
        let mut span = span();
        shorten_span(&mut span, 0);
        assert_eq!(span.attributes[0].value.as_str(), "");
    }

    #[test]
    fn a_log_record_keeps_everything_but_what_is_too_much() {
        let records = LogRecords::new(LogLimits {
            value_length: 5,
            attributes: 2,
        });
        let mut record = records.blank.create_log_record();
        let now = SystemTime::now();
        record.set_timestamp(now);
        record.set_body("a body is no attribute".into());
        record.set_severity_number(Severity::Warn);
        record.set_target("target");
        record.add_attribute("long", "äöü€🦀x");
        record.add_attribute("list", AnyValue::ListAny(Box::new(vec!["abcdefg".into()])));
        record.add_attribute("third", 1);
        records.shorten(&mut record);
        assert_eq!(record.timestamp(), Some(now));
        assert_eq!(record.body(), Some(&"a body is no attribute".into()));
        assert_eq!(record.severity_number(), Some(Severity::Warn));
        assert_eq!(record.target().unwrap(), "target");
        let attributes: Vec<_> = record.attributes_iter().cloned().collect();
        assert_eq!(
            attributes,
            [
                ("long".into(), "äöü€🦀".into()),
                (
                    "list".into(),
                    AnyValue::ListAny(Box::new(vec!["abcde".into()]))
                ),
            ]
        );
    }
}
