//! What a search asks for, and which traces answer it.

use opentelemetry_proto::tonic::common::v1::KeyValue;

use crate::span::StoredSpan;
use crate::trace::Trace;

/// A search in Jaeger's sense: a trace is found if one of its spans meets every condition alone.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) service: Option<String>,
    pub(crate) operation: Option<String>,
    /// Pairs that must all be among the attributes of the span, its resource or its events, compared as text.
    pub(crate) attributes: Vec<(String, String)>,
    /// Bounds of the span's start, in nanoseconds since 1970, both included.
    pub(crate) start_min: u64,
    pub(crate) start_max: u64,
    /// How many traces at most, newest first.
    pub(crate) limit: usize,
}

impl Search {
    pub(crate) fn matches(&self, trace: &Trace) -> bool {
        trace.spans().any(|span| self.matches_span(span))
    }

    /// The cheap conditions come first: only attributes need the span decoded.
    fn matches_span(&self, span: &StoredSpan) -> bool {
        let same = |wanted: &Option<String>, actual: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == actual)
        };
        same(&self.service, &span.resource.service)
            && same(&self.operation, &span.name)
            && (self.start_min..=self.start_max).contains(&span.start_nanos)
            && self.matches_attributes(span)
    }

    fn matches_attributes(&self, stored: &StoredSpan) -> bool {
        if self.attributes.is_empty() {
            return true;
        }
        let span = stored.decode();
        let resource = stored.resource.decode_resource().resource;
        let events = span.events.iter().flat_map(|event| &event.attributes);
        let of_resource = resource.iter().flat_map(|resource| &resource.attributes);
        let pairs: Vec<&KeyValue> = span
            .attributes
            .iter()
            .chain(of_resource)
            .chain(events)
            .collect();
        let has = |(key, wanted): &(String, String)| {
            let mut named = pairs.iter().filter(|pair| pair.key == *key);
            named.any(|pair| story::text(pair.value.as_ref()) == *wanted)
        };
        self.attributes.iter().all(has)
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::trace::v1::span::Event;

    use super::*;
    use crate::testing::{attribute, sent, stored, trace_id};

    /// One span of service `orders` from 10 ns to 1 s 10 ns, with an attribute and an event.
    fn trace() -> Trace {
        let mut span = sent(10, None, "send order.created");
        span.attributes = vec![attribute("attempt", Value::IntValue(2))];
        span.events = vec![Event {
            attributes: vec![attribute("why", Value::StringValue("full".into()))],
            ..Event::default()
        }];
        let mut trace = Trace::new(trace_id(1));
        trace.insert(stored(&span, "orders").into());
        trace
    }

    fn everything() -> Search {
        Search {
            service: None,
            operation: None,
            attributes: Vec::new(),
            start_min: 0,
            start_max: u64::MAX,
            limit: 1,
        }
    }

    fn with_attributes(pairs: &[(&str, &str)]) -> Search {
        let attributes = pairs
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect();
        Search {
            attributes,
            ..everything()
        }
    }

    #[test]
    fn finds_by_attributes_of_the_span_its_resource_and_its_events() {
        let trace = trace();
        assert!(
            with_attributes(&[
                ("attempt", "2"),
                ("service.name", "orders"),
                ("why", "full")
            ])
            .matches(&trace)
        );
        assert!(!with_attributes(&[("attempt", "2"), ("why", "empty")]).matches(&trace));
    }

    #[test]
    fn bounds_are_included() {
        let trace = trace();
        let matches = |start_min, start_max| {
            Search {
                start_min,
                start_max,
                ..everything()
            }
            .matches(&trace)
        };
        assert!(matches(10, 10));
        assert!(!matches(11, u64::MAX));
        assert!(!matches(0, 9));
    }
}
