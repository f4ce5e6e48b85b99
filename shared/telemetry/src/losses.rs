//! Spans that do not reach their backend are counted, and said: once for each time that it is away, and at the end.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

/// `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, unless somebody sets it: a smaller batch has emptied the queue.
const FULL_BATCH: usize = 512;

/// What became of the spans of this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Losses(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Spans that were to be exported.
    ended: AtomicU64,
    /// Those that the backend has taken.
    delivered: AtomicU64,
    /// Whether the backend is away, and how many spans were lost before it was.
    burst: Mutex<Option<u64>>,
    /// Losses that a line was written about.
    told: AtomicU64,
}

/// What there is to say after an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// The backend takes no spans any more.
    Away,
    /// It does again, and so many were lost meanwhile.
    Back(u64),
}

impl Losses {
    /// Counts what `processor` is given.
    pub(crate) fn count<E: SpanExporter + 'static>(
        &self,
        exporter: E,
    ) -> impl SpanProcessor + use<E> {
        let exporter = CountingExporter {
            exporter,
            losses: self.clone(),
        };
        CountingProcessor {
            processor: BatchSpanProcessor::builder(exporter).build(),
            losses: self.clone(),
        }
    }

    /// Spans that were lost: no backend took them, or there was no room for them in the queue. Exact when all that ended
    /// was exported, or given up.
    pub(crate) fn total(&self) -> u64 {
        let delivered = self.0.delivered.load(Relaxed);
        self.0.ended.load(Relaxed).saturating_sub(delivered)
    }

    /// Says how many were lost that no line was written about; after the last export.
    pub(crate) fn say_the_rest(&self) {
        let (total, told) = (self.total(), self.0.told.load(Relaxed));
        if total > 0 {
            tracing::warn!(lost = total, told_before = told, "spans were lost");
        }
    }

    fn exported(&self, spans: usize, succeeded: bool) {
        match self.note(spans, succeeded) {
            Some(News::Away) => {
                tracing::warn!(
                    "the trace backend takes no spans; they are kept while there is room, and counted"
                );
            }
            Some(News::Back(lost)) => {
                tracing::warn!(lost, "the trace backend takes spans again");
            }
            None => {}
        }
    }

    fn note(&self, spans: usize, succeeded: bool) -> Option<News> {
        let mut burst = self.0.burst.lock().unwrap_or_else(PoisonError::into_inner);
        if !succeeded {
            let begins = burst.is_none();
            burst.get_or_insert(self.0.told.load(Relaxed));
            return begins.then_some(News::Away);
        }
        self.0.delivered.fetch_add(spans as u64, Relaxed);
        // Until the queue is empty, it is not known how much of what is outstanding waits there.
        let before = (spans < FULL_BATCH).then(|| burst.take()).flatten()?;
        let lost = self.total().saturating_sub(before);
        self.0.told.fetch_add(lost, Relaxed);
        Some(News::Back(lost))
    }
}

#[derive(Debug)]
struct CountingProcessor {
    processor: BatchSpanProcessor,
    losses: Losses,
}

impl SpanProcessor for CountingProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.losses.0.ended.fetch_add(1, Relaxed);
        }
        self.processor.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}

struct CountingExporter<E> {
    exporter: E,
    losses: Losses,
}

impl<E: fmt::Debug> fmt::Debug for CountingExporter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.exporter.fmt(f)
    }
}

impl<E: SpanExporter> SpanExporter for CountingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.exporter.export(batch).await;
        self.losses.exported(spans, result.is_ok());
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::error::OTelSdkError;
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    /// A backend that can be away.
    #[derive(Debug, Clone, Default)]
    struct Backend(Arc<AtomicBool>);

    impl Backend {
        fn is_away(&self, away: bool) {
            self.0.store(away, Relaxed);
        }
    }

    impl SpanExporter for Backend {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            if self.0.load(Relaxed) {
                return Err(OTelSdkError::InternalFailure("nobody is there".into()));
            }
            Ok(())
        }
    }

    fn spans(provider: &SdkTracerProvider, count: usize) {
        let tracer = provider.tracer("test");
        for _ in 0..count {
            tracer.start("span");
        }
        // An export that fails is no reason to fail here.
        let _ = provider.force_flush();
    }

    #[test]
    fn every_span_that_a_backend_did_not_take_is_counted() {
        let (losses, backend) = (Losses::default(), Backend::default());
        let provider = SdkTracerProvider::builder()
            .with_span_processor(losses.count(backend.clone()))
            .build();
        spans(&provider, 10);
        assert_eq!(losses.total(), 0);
        backend.is_away(true);
        spans(&provider, 20);
        spans(&provider, 3);
        backend.is_away(false);
        spans(&provider, 5);
        assert_eq!(losses.total(), 23);
        // The line about them is written already.
        assert_eq!(losses.0.told.load(Relaxed), 23);
        provider.shutdown().unwrap();
        assert_eq!(losses.total(), 23);
    }

    #[test]
    fn what_finds_no_room_is_counted_too() {
        let (losses, backend) = (Losses::default(), Backend::default());
        let provider = SdkTracerProvider::builder()
            .with_span_processor(losses.count(backend.clone()))
            .build();
        backend.is_away(true);
        // More than the queue has room for.
        spans(&provider, 10_000);
        assert_eq!(losses.total(), 10_000);
        provider.shutdown().unwrap();
    }

    #[test]
    fn one_line_is_written_when_a_backend_goes_away_and_one_when_it_is_back() {
        let losses = Losses::default();
        losses.0.ended.store(700, Relaxed);
        assert_eq!(losses.note(50, false), Some(News::Away));
        assert_eq!(losses.note(50, false), None);
        // A full batch: more of what is outstanding may still wait in the queue.
        assert_eq!(losses.note(FULL_BATCH, true), None);
        assert_eq!(losses.note(88, true), Some(News::Back(100)));
        assert_eq!(losses.note(1, true), None);
        losses.0.ended.store(800, Relaxed);
        assert_eq!(losses.note(50, false), Some(News::Away));
        assert_eq!(losses.note(49, true), Some(News::Back(50)));
    }
}
