//! Spans as a test sees them.

use std::sync::Once;

use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

use crate::baggage::BaggageSpanProcessor;
use crate::{propagation, start};

/// Records the spans of the current thread, for as long as it lives.
///
/// Use it with Tokio's current-thread runtime, the default of `#[tokio::test]`.
#[derive(Debug)]
pub struct Recorder {
    exporter: InMemorySpanExporter,
    _provider: SdkTracerProvider,
    _guard: DefaultGuard,
}

impl Recorder {
    /// Records with the same layer and propagators as [`start`](crate::start()).
    pub fn start() -> Self {
        static PROPAGATORS: Once = Once::new();
        PROPAGATORS
            .call_once(|| propagation::install().expect("the default propagators are built in"));
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BaggageSpanProcessor)
            .with_simple_exporter(exporter.clone())
            .build();
        let layer = start::span_layer(&provider);
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        Self {
            exporter,
            _provider: provider,
            _guard: guard,
        }
    }

    /// The spans that have ended, in the order in which they did.
    pub fn spans(&self) -> Vec<SpanData> {
        self.exporter.get_finished_spans().unwrap_or_default()
    }

    /// The only span of that name.
    pub fn span(&self, name: &str) -> SpanData {
        let mut found = self.spans().into_iter().filter(|span| span.name == name);
        let span = found
            .next()
            .unwrap_or_else(|| panic!("no span is named {name:?}"));
        assert!(found.next().is_none(), "several spans are named {name:?}");
        span
    }
}

/// The value of an attribute, as text.
pub fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let found = span
        .attributes
        .iter()
        .find(|pair| pair.key.as_str() == key)?;
    Some(found.value.to_string())
}
