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
mod tests;
