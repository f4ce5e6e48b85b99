//! Spans and log records that do not reach their backend are counted, and said: when it goes away, when it is back, and
//! at the end.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::logs::Severity;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};
use tracing::Metadata;

use crate::environment;

/// As the SDK has it.
const DEFAULT_QUEUE_SIZE: usize = 2048;

/// What the SDK says of each batch, twice a second for as long as a backend is away. It is said here, once.
const SAID_HERE: [&str; 3] = [
    "BatchSpanProcessor.ExportError",
    "BatchLogProcessor.ExportError",
    "Export.Failed.",
];

/// Whether a log line is one that this module writes in a better way.
pub(crate) fn are_said_of(line: &Metadata<'_>) -> bool {
    SAID_HERE.iter().any(|name| line.name().starts_with(name))
}

/// What became of what this process had to export. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Losses(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    backend: &'static str,
    /// Taken into the queue, and neither delivered nor given up.
    waiting: AtomicUsize,
    lost: AtomicU64,
    burst: Mutex<Burst>,
}

/// Losses that belong together: between them the backend was never well.
#[derive(Debug, Default)]
struct Burst {
    /// It was said that the backend is away.
    away: bool,
    /// Losses that a line was written about.
    told: u64,
    /// How many there were when something was delivered last.
    at_last_delivery: u64,
}

/// What there is to say after an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// The backend takes nothing any more.
    Away,
    /// All is well again, and so many were lost meanwhile.
    Over(u64),
}

impl Losses {
    pub(crate) fn of_spans() -> Self {
        Self::of("trace backend")
    }

    pub(crate) fn of_log_records() -> Self {
        Self::of("log backend")
    }

    fn of(backend: &'static str) -> Self {
        Self(Arc::new(Counts {
            backend,
            waiting: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            burst: Mutex::default(),
        }))
    }

    /// Exports spans in batches, and counts those that are lost: the queue is full, or nobody takes them.
    pub(crate) fn count_spans<E: SpanExporter + 'static>(
        &self,
        exporter: E,
    ) -> impl SpanProcessor + use<E> {
        self.count_spans_beyond(exporter, queue_size())
    }

    fn count_spans_beyond<E: SpanExporter + 'static>(
        &self,
        exporter: E,
        room: usize,
    ) -> impl SpanProcessor + use<E> {
        let exporter = self.count_batches(exporter);
        CountingProcessor {
            processor: BatchSpanProcessor::builder(exporter).build(),
            room,
            losses: self.clone(),
        }
    }

    /// Counts what is in batches that nobody takes.
    pub(crate) fn count_batches<E>(&self, exporter: E) -> CountingExporter<E> {
        CountingExporter {
            exporter,
            losses: self.clone(),
        }
    }

    /// All that were lost, once nothing is exported any more: what waits then is lost too.
    pub(crate) fn total(&self) -> u64 {
        self.0.lost.load(Relaxed) + self.0.waiting.load(Relaxed) as u64
    }

    /// Says how many were lost in all; after the last export.
    pub(crate) fn say_total(&self) {
        let (backend, lost) = (self.0.backend, self.total());
        if lost > 0 {
            tracing::warn!(backend, lost, "so much was lost since the start");
        }
    }

    /// Whether there is room for one more.
    fn waits(&self, room: usize) -> bool {
        let before = self.0.waiting.fetch_add(1, Relaxed);
        if before < room {
            return true;
        }
        self.0.waiting.fetch_sub(1, Relaxed);
        self.0.lost.fetch_add(1, Relaxed);
        false
    }

    fn exported(&self, count: usize, result: &OTelSdkResult) {
        let backend = self.0.backend;
        match self.note(count, result.is_ok()) {
            Some(News::Away) => {
                let error = result.as_ref().err().map(ToString::to_string);
                tracing::warn!(
                    backend,
                    error,
                    "it takes nothing; what it does not take is counted and dropped"
                );
            }
            Some(News::Over(lost)) => tracing::warn!(backend, lost, "it takes everything again"),
            None => {}
        }
    }

    fn note(&self, count: usize, delivered: bool) -> Option<News> {
        let mut burst = self.0.burst.lock().unwrap_or_else(PoisonError::into_inner);
        if !delivered {
            self.0.lost.fetch_add(count as u64, Relaxed);
            let begins = !burst.away;
            burst.away = true;
            return begins.then_some(News::Away);
        }
        let lost = self.0.lost.load(Relaxed);
        // One delivery among losses is no end: a backend that takes every other batch would fill the log.
        let calm = burst.at_last_delivery == lost;
        burst.at_last_delivery = lost;
        if !calm || burst.told == lost {
            return None;
        }
        let news = News::Over(lost - burst.told);
        burst.away = false;
        burst.told = lost;
        Some(news)
    }
}

/// The SDK's queue has this size too; it is asked first here, so that the SDK drops nothing that is not counted.
fn queue_size() -> usize {
    let size = environment::variable("OTEL_BSP_MAX_QUEUE_SIZE");
    size.and_then(|size| size.parse().ok())
        .unwrap_or(DEFAULT_QUEUE_SIZE)
}

#[derive(Debug)]
struct CountingProcessor {
    processor: BatchSpanProcessor,
    room: usize,
    losses: Losses,
}

impl SpanProcessor for CountingProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        // What is not sampled is not exported, and so not lost.
        if span.span_context.is_sampled() && self.losses.waits(self.room) {
            self.processor.on_end(span);
        }
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

pub(crate) struct CountingExporter<E> {
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
        let count = batch.len();
        let result = self.exporter.export(batch).await;
        self.losses.exported(count, &result);
        self.losses.0.waiting.fetch_sub(count, Relaxed);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for CountingExporter<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let count = batch.iter().count();
        let result = self.exporter.export(batch).await;
        self.losses.exported(count, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.exporter.event_enabled(level, target, name)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Condvar;
    use std::sync::atomic::AtomicBool;
    use std::time::Instant;

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::error::OTelSdkError;
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    /// A backend that can be away, or hang.
    #[derive(Debug, Clone, Default)]
    struct Backend {
        away: Arc<AtomicBool>,
        hangs: Arc<(Mutex<bool>, Condvar)>,
    }

    impl Backend {
        fn is_away(&self, away: bool) {
            self.away.store(away, Relaxed);
        }

        fn hangs(&self, hangs: bool) {
            *self.hangs.0.lock().unwrap() = hangs;
            self.hangs.1.notify_all();
        }
    }

    impl SpanExporter for Backend {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            let (hangs, changed) = &*self.hangs;
            let hanging = hangs.lock().unwrap();
            drop(changed.wait_while(hanging, |hangs| *hangs).unwrap());
            if self.away.load(Relaxed) {
                return Err(OTelSdkError::InternalFailure("nobody is there".into()));
            }
            Ok(())
        }
    }

    fn end_spans(provider: &SdkTracerProvider, count: usize) {
        let tracer = provider.tracer("test");
        for _ in 0..count {
            tracer.start("span");
        }
    }

    fn spans(provider: &SdkTracerProvider, count: usize) {
        end_spans(provider, count);
        // An export that fails is no reason to fail here.
        let _ = provider.force_flush();
    }

    fn told(losses: &Losses) -> u64 {
        losses.0.burst.lock().unwrap().told
    }

    fn provider(losses: &Losses, backend: &Backend, room: usize) -> SdkTracerProvider {
        SdkTracerProvider::builder()
            .with_span_processor(losses.count_spans_beyond(backend.clone(), room))
            .build()
    }

    #[test]
    fn every_span_that_a_backend_did_not_take_is_counted() {
        let (losses, backend) = (Losses::of_spans(), Backend::default());
        let provider = provider(&losses, &backend, DEFAULT_QUEUE_SIZE);
        spans(&provider, 10);
        assert_eq!(losses.total(), 0);
        backend.is_away(true);
        spans(&provider, 20);
        spans(&provider, 3);
        backend.is_away(false);
        spans(&provider, 5);
        spans(&provider, 5);
        assert_eq!(losses.total(), 23);
        // The line about them is written already.
        assert_eq!(told(&losses), 23);
        provider.shutdown().unwrap();
        assert_eq!(losses.total(), 23);
    }

    #[test]
    fn what_finds_no_room_is_counted_too_and_to_the_last_one() {
        let (losses, backend) = (Losses::of_spans(), Backend::default());
        let provider = provider(&losses, &backend, 100);
        backend.hangs(true);
        end_spans(&provider, 1000);
        assert_eq!(losses.0.lost.load(Relaxed), 900);
        backend.hangs(false);
        spans(&provider, 0);
        spans(&provider, 1);
        assert_eq!((losses.total(), told(&losses)), (900, 900));
        provider.shutdown().unwrap();
        assert_eq!(losses.total(), 900);
    }

    #[test]
    fn a_backend_that_hangs_does_not_keep_us_from_ending_and_what_it_has_not_taken_is_lost() {
        let (losses, backend) = (Losses::of_spans(), Backend::default());
        let provider = provider(&losses, &backend, 100);
        backend.hangs(true);
        end_spans(&provider, 150);
        let begun = Instant::now();
        let within = Duration::from_millis(50);
        assert!(provider.shutdown_with_timeout(within).is_err());
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(losses.total(), 150);
        backend.hangs(false);
    }

    #[test]
    fn what_is_not_sampled_is_not_lost() {
        use opentelemetry_sdk::trace::Sampler;
        let (losses, backend) = (Losses::of_spans(), Backend::default());
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOff)
            .with_span_processor(losses.count_spans_beyond(backend, 10))
            .build();
        end_spans(&provider, 100);
        provider.shutdown().unwrap();
        assert_eq!(losses.total(), 0);
    }

    #[test]
    fn one_line_is_written_when_a_backend_goes_away_and_one_when_it_is_back() {
        let losses = Losses::of_spans();
        assert_eq!(losses.note(50, true), None);
        assert_eq!(losses.note(50, false), Some(News::Away));
        assert_eq!(losses.note(50, false), None);
        assert_eq!(losses.note(10, true), None);
        assert_eq!(losses.note(10, true), Some(News::Over(100)));
        assert_eq!(losses.note(10, true), None);
        assert_eq!(losses.note(7, false), Some(News::Away));
        assert_eq!(losses.note(1, true), None);
        assert_eq!(losses.note(1, true), Some(News::Over(7)));
    }

    #[test]
    fn a_backend_that_takes_every_other_batch_does_not_fill_the_log() {
        let losses = Losses::of_spans();
        let lines = (0..1000).filter_map(|batch| losses.note(1, batch % 2 == 0));
        assert_eq!(lines.collect::<Vec<_>>(), [News::Away]);
    }

    #[test]
    fn a_queue_that_was_full_is_said_once_it_is_not_any_more() {
        let losses = Losses::of_spans();
        for _ in 0..5 {
            losses.waits(3);
        }
        assert_eq!(losses.note(1, true), None);
        assert_eq!(losses.note(1, true), Some(News::Over(2)));
    }
}
