//! Where spans come from: their resources and instrumentation scopes, one copy of each.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message as _;

/// A resource or an instrumentation scope in its OTLP encoding, without the spans.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    /// The service that a resource describes; empty for a scope.
    pub(crate) service: Box<str>,
    encoded: Box<[u8]>,
}

impl Source {
    /// `group` has no spans.
    pub(crate) fn resource(group: &ResourceSpans) -> Self {
        Self {
            service: service_name(group.resource.as_ref()).into(),
            encoded: group.encode_to_vec().into(),
        }
    }

    /// `group` has no spans.
    pub(crate) fn scope(group: &ScopeSpans) -> Self {
        Self {
            service: "".into(),
            encoded: group.encode_to_vec().into(),
        }
    }

    pub(crate) fn decode_resource(&self) -> ResourceSpans {
        ResourceSpans::decode(&*self.encoded).expect("it was encoded here, from a resource")
    }

    pub(crate) fn decode_scope(&self) -> ScopeSpans {
        ScopeSpans::decode(&*self.encoded).expect("it was encoded here, from a scope")
    }

    /// Bytes that it takes, once for all its spans.
    pub(crate) fn size(&self) -> usize {
        const ENTRY: usize = 96;
        ENTRY + self.service.len() + self.encoded.len()
    }
}

/// The sources of all kept spans, each with the number of its spans: it goes with the last of them.
///
/// Exporters repeat their resource in every request; sharing it is what makes a stored span small.
/// Equal sources are the same `Arc`, so readers can compare pointers.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    users: HashMap<Arc<Source>, usize>,
    bytes: usize,
}

impl Sources {
    /// The copy that is kept of this source, for one more span.
    pub(crate) fn acquire(&mut self, source: &Arc<Source>) -> Arc<Source> {
        match self.users.entry(Arc::clone(source)) {
            Entry::Occupied(mut known) => {
                *known.get_mut() += 1;
                Arc::clone(known.key())
            }
            Entry::Vacant(new) => {
                self.bytes += source.size();
                new.insert(1);
                Arc::clone(source)
            }
        }
    }

    pub(crate) fn release(&mut self, source: &Arc<Source>) {
        if let Some(users) = self.users.get_mut(source) {
            *users -= 1;
            if *users == 0 {
                self.users.remove(source);
                self.bytes -= source.size();
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Source> {
        self.users.keys().map(AsRef::as_ref)
    }
}

/// `service.name`, or what the resource conventions prescribe when it is missing.
pub(crate) fn service_name(resource: Option<&Resource>) -> &str {
    let mut attributes = resource.iter().flat_map(|resource| &resource.attributes);
    let attribute = attributes.find(|pair| pair.key == "service.name");
    let value = attribute.and_then(|pair| pair.value.as_ref()?.value.as_ref());
    match value {
        Some(Value::StringValue(name)) if !name.is_empty() => name,
        _ => "unknown_service",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(schema_url: &str) -> Arc<Source> {
        let group = ResourceSpans {
            schema_url: schema_url.into(),
            ..ResourceSpans::default()
        };
        Arc::new(Source::resource(&group))
    }

    #[test]
    fn equal_resources_are_kept_once_and_go_with_their_last_span() {
        let mut sources = Sources::default();
        let first = sources.acquire(&resource("schema"));
        let second = sources.acquire(&resource("schema"));
        let other = sources.acquire(&resource(""));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!(&*first.service, "unknown_service");
        assert_eq!(sources.bytes(), first.size() + other.size());
        sources.release(&other);
        sources.release(&first);
        assert_eq!(sources.bytes(), first.size());
        sources.release(&first);
        assert_eq!((sources.bytes(), sources.all().count()), (0, 0));
    }
}
