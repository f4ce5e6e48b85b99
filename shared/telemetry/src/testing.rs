//! Spans as a test sees them.

use std::cell::RefCell;
use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

use crate::baggage::BaggageSpanProcessor;
use crate::{propagation, start};

thread_local! {
    /// The spans that ended on this thread.
    static ENDED: RefCell<Vec<SpanData>> = const { RefCell::new(Vec::new()) };
}

/// One for all tests of a process, since there can be only one global provider; they keep apart by their threads.
static PROVIDER: LazyLock<SdkTracerProvider> = LazyLock::new(|| {
    propagation::install();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BaggageSpanProcessor)
        .with_simple_exporter(PerThread)
        .build();
    global::set_tracer_provider(provider.clone());
    provider
});

/// Never used, and needed: while there is only one subscriber, `tracing` asks it alone whether a span is wanted, and
/// remembers the answer for all threads, also when the thread that asks has none.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));

#[derive(Debug)]
struct PerThread;

impl SpanExporter for PerThread {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        ENDED.with_borrow_mut(|ended| ended.extend(batch));
        Ok(())
    }
}

/// Records the spans of the current thread, for as long as it lives.
///
/// Use it with Tokio's current-thread runtime, the default of `#[tokio::test]`.
#[derive(Debug)]
pub struct Recorder {
    _guard: DefaultGuard,
}

impl Recorder {
    /// Records with the same layer and propagators as [`start`](crate::start()).
    pub fn start() -> Self {
        LazyLock::force(&SECOND);
        let layer = start::span_layer(PROVIDER.tracer("orderflow"));
        ENDED.with_borrow_mut(Vec::clear);
        Self {
            _guard: tracing::subscriber::set_default(tracing_subscriber::registry().with(layer)),
        }
    }

    /// The spans that have ended, in the order in which they did.
    pub fn spans(&self) -> Vec<SpanData> {
        ENDED.with_borrow(Vec::clone)
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
