//! How large spans and log records are on their way, estimated from above, and batches that a receiver takes.

use opentelemetry::logs::AnyValue;
use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::logs::SdkLogRecord;
use opentelemetry_sdk::trace::SpanData;

/// What a gRPC receiver takes by default is 4 MiB; this leaves room for the resource and the scopes.
pub(crate) const MOST_AT_ONCE: usize = 4 * 1024 * 1024 - 256 * 1024;

/// The fixed fields of a span or a log record: ids, times, numbers, and the lengths of the others.
const FIXED: usize = 160;
/// The tags and lengths around a key and its value.
const AROUND_A_VALUE: usize = 28;

/// What a batch was divided into.
#[derive(Debug)]
pub(crate) struct Parts<T> {
    /// Each small enough to be sent at once.
    pub(crate) parts: Vec<Vec<T>>,
    /// Items that are too large by themselves.
    pub(crate) too_large: usize,
}

/// Divides `batch` in its order.
pub(crate) fn parts<T>(
    batch: impl IntoIterator<Item = T>,
    most: usize,
    size: impl Fn(&T) -> usize,
) -> Parts<T> {
    let (mut parts, mut too_large) = (Vec::new(), 0);
    let (mut part, mut filled) = (Vec::new(), 0);
    for item in batch {
        let size = size(&item);
        if size > most {
            too_large += 1;
            continue;
        }
        if filled + size > most {
            parts.push(std::mem::take(&mut part));
            filled = 0;
        }
        filled += size;
        part.push(item);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    Parts { parts, too_large }
}

pub(crate) fn of_span(span: &SpanData) -> usize {
    let events = span.events.iter();
    let events = events.map(|event| FIXED + event.name.len() + of_attributes(&event.attributes));
    let links = span.links.iter().map(|link| {
        let state = link.span_context.trace_state().header();
        FIXED + state.len() + of_attributes(&link.attributes)
    });
    let description = match &span.status {
        Status::Error { description } => description.len(),
        _ => 0,
    };
    FIXED
        + span.name.len()
        + span.span_context.trace_state().header().len()
        + description
        + of_attributes(&span.attributes)
        + events.sum::<usize>()
        + links.sum::<usize>()
}

fn of_attributes(attributes: &[KeyValue]) -> usize {
    let sizes = attributes
        .iter()
        .map(|KeyValue { key, value, .. }| AROUND_A_VALUE + key.as_str().len() + of_value(value));
    sizes.sum()
}

fn of_value(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::String(texts)) => texts
            .iter()
            .map(|text| AROUND_A_VALUE + text.as_str().len())
            .sum(),
        Value::Array(Array::Bool(values)) => AROUND_A_VALUE * values.len(),
        Value::Array(Array::I64(values)) => AROUND_A_VALUE * values.len(),
        Value::Array(Array::F64(values)) => AROUND_A_VALUE * values.len(),
        _ => 10,
    }
}

pub(crate) fn of_record(record: &SdkLogRecord) -> usize {
    let attributes = record
        .attributes_iter()
        .map(|(key, value)| AROUND_A_VALUE + key.as_str().len() + of_any(value));
    FIXED
        + record.body().map_or(0, of_any)
        + record.target().map_or(0, |target| target.len())
        + attributes.sum::<usize>()
}

fn of_any(value: &AnyValue) -> usize {
    match value {
        AnyValue::String(text) => text.as_str().len(),
        AnyValue::Bytes(bytes) => bytes.len(),
        AnyValue::ListAny(values) => {
            let sizes = values.iter().map(|value| AROUND_A_VALUE + of_any(value));
            sizes.sum()
        }
        AnyValue::Map(values) => {
            let sizes = values
                .iter()
                .map(|(key, value)| AROUND_A_VALUE + key.as_str().len() + of_any(value));
            sizes.sum()
        }
        _ => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_divided_in_its_order_and_what_is_too_large_is_left_out() {
        let Parts { parts, too_large } = parts([4, 5, 2, 11, 10, 1], 10, |&size| size);
        assert_eq!(parts, [vec![4, 5], vec![2], vec![10], vec![1]]);
        assert_eq!(too_large, 1);
    }
}
