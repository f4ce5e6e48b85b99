//! Where a span or log record comes from: its resource and its instrumentation scope.

use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message as _;

use crate::intern::Interner;

/// A resource and the service it describes.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) service: Arc<str>,
    pub(crate) resource: Resource,
    pub(crate) schema_url: String,
}

/// An instrumentation scope.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) scope: InstrumentationScope,
    pub(crate) schema_url: String,
}

/// The one copy of every name, origin and scope in use.
///
/// Exporters repeat their resource in every request; sharing it is what makes a stored span small.
/// Equal origins are the same `Arc`, so readers can compare pointers.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    names: Interner<String, str>,
    origins: Interner<Vec<u8>, Origin>,
    scopes: Interner<Vec<u8>, Scope>,
}

impl Sources {
    pub(crate) fn name(&self, name: &str) -> Arc<str> {
        self.with(|tables| tables.names.get_or_insert(name, || Arc::from(name)))
    }

    pub(crate) fn origin(&self, resource: Option<Resource>, schema_url: String) -> Arc<Origin> {
        let resource = resource.unwrap_or_default();
        let service = self.name(service_name(&resource));
        let wire = ResourceSpans {
            resource: Some(resource),
            scope_spans: Vec::new(),
            schema_url,
        };
        let key = wire.encode_to_vec();
        let make = || {
            Arc::new(Origin {
                service,
                resource: wire.resource.unwrap_or_default(),
                schema_url: wire.schema_url,
            })
        };
        self.with(|tables| tables.origins.get_or_insert(key.as_slice(), make))
    }

    pub(crate) fn scope(
        &self,
        scope: Option<InstrumentationScope>,
        schema_url: String,
    ) -> Arc<Scope> {
        let wire = ScopeSpans {
            scope,
            spans: Vec::new(),
            schema_url,
        };
        let key = wire.encode_to_vec();
        let make = || {
            Arc::new(Scope {
                scope: wire.scope.unwrap_or_default(),
                schema_url: wire.schema_url,
            })
        };
        self.with(|tables| tables.scopes.get_or_insert(key.as_slice(), make))
    }

    fn with<T>(&self, use_tables: impl FnOnce(&mut Tables) -> T) -> T {
        // A poisoned table at worst lacks an entry, which costs a second copy and nothing else.
        use_tables(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `service.name`, or what the resource conventions prescribe when it is missing.
fn service_name(resource: &Resource) -> &str {
    let attribute = resource
        .attributes
        .iter()
        .find(|pair| pair.key == "service.name");
    let value = attribute.and_then(|pair| pair.value.as_ref()?.value.as_ref());
    match value {
        Some(Value::StringValue(name)) if !name.is_empty() => name,
        _ => "unknown_service",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_resources_are_kept_once() {
        let sources = Sources::default();
        let first = sources.origin(None, "schema".into());
        let second = sources.origin(Some(Resource::default()), "schema".into());
        let other = sources.origin(None, String::new());
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!(&*first.service, "unknown_service");
    }
}
