use std::sync::Condvar;
use std::sync::atomic::AtomicBool;

use opentelemetry::KeyValue;
use opentelemetry::logs::{LogRecord as _, Logger, LoggerProvider};
use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLoggerProvider};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use prost::Message as _;
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::environment::{Batch, LogLimits};

/// A backend that can be away, or hang.
#[derive(Debug, Clone, Default)]
struct Backend {
    away: Arc<AtomicBool>,
    hangs: Arc<(Mutex<bool>, Condvar)>,
    rejects: Arc<AtomicUsize>,
    /// How many items each request had, and its size on the way.
    requests: Arc<Mutex<Vec<(usize, usize)>>>,
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

impl Backend {
    fn take(&self) -> OTelSdkResult {
        let (hangs, changed) = &*self.hangs;
        let hanging = hangs.lock().unwrap();
        drop(changed.wait_while(hanging, |hangs| *hangs).unwrap());
        if self.away.load(Relaxed) {
            return Err(OTelSdkError::InternalFailure("nobody is there".into()));
        }
        let rejected_spans = self.rejects.swap(0, Relaxed);
        if rejected_spans > 0 {
            tracing::warn!(name: "TonicTracesClient.PartialSuccess", rejected_spans, error_message = "no");
        }
        Ok(())
    }
}

impl SpanExporter for Backend {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let resource = ResourceAttributesWithSchema::default();
        let count = batch.len();
        let resource_spans = group_spans_by_resource_and_scope(batch, &resource);
        let size = ExportTraceServiceRequest { resource_spans }.encoded_len();
        self.requests.lock().unwrap().push((count, size));
        self.take()
    }
}

impl LogExporter for Backend {
    async fn export(&self, _: LogBatch<'_>) -> OTelSdkResult {
        self.take()
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
        .with_span_processor(losses.count_spans(backend.clone(), &batch(room), 4096))
        .build()
}

fn batch(room: usize) -> Batch {
    Batch {
        queued: room,
        at_once: room.min(512),
        delay: Duration::from_mins(1),
        timeout: Duration::from_secs(30),
    }
}

#[test]
fn every_span_that_a_backend_did_not_take_is_counted() {
    let (losses, backend) = (Losses::of_spans(), Backend::default());
    let provider = provider(&losses, &backend, 2048);
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
        .with_span_processor(losses.count_spans(backend, &batch(10), 4096))
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
    assert_eq!(losses.note(1, true), Some(News::Lost(2)));
    assert_eq!(losses.note(1, true), None);
}

#[test]
fn losses_that_never_end_are_said_all_the_same() {
    let losses = Losses::of_spans();
    let long_ago = Instant::now().checked_sub(SAID_AFTER).unwrap();
    losses.lose(3, Cause::Rejected);
    assert_eq!(losses.note(1, true), None);
    losses.burst().since = Some(long_ago);
    losses.lose(4, Cause::Rejected);
    assert_eq!(losses.note(1, true), Some(News::Lost(7)));
}

#[test]
fn spans_that_make_a_batch_too_large_arrive_in_several() {
    let (losses, backend) = (Losses::of_spans(), Backend::default());
    let provider = SdkTracerProvider::builder()
        .with_span_processor(losses.count_spans(backend.clone(), &batch(2048), usize::MAX))
        .build();
    let tracer = provider.tracer("test");
    for _ in 0..300 {
        let mut span = tracer.start("span");
        span.set_attribute(KeyValue::new("user_agent.original", "x".repeat(60_000)));
    }
    let mut span = tracer.start("too large");
    span.set_attribute(KeyValue::new("body", "x".repeat(5_000_000)));
    drop(span);
    provider.shutdown().unwrap();
    let requests = backend.requests.lock().unwrap();
    assert_eq!(requests.iter().map(|(count, _)| count).sum::<usize>(), 300);
    assert!(
        requests.iter().all(|(_, size)| *size < 4 * 1024 * 1024),
        "{requests:?}"
    );
    assert!(requests.len() < 10, "{requests:?}");
    assert_eq!(losses.total(), 1);
}

#[test]
fn a_user_agent_of_60_kilobytes_is_cut_and_costs_no_span() {
    let (losses, backend) = (Losses::of_spans(), Backend::default());
    let provider = provider(&losses, &backend, 2048);
    let tracer = provider.tracer("test");
    for _ in 0..300 {
        let mut span = tracer.start("span");
        span.set_attribute(KeyValue::new("user_agent.original", "x".repeat(60_000)));
    }
    provider.shutdown().unwrap();
    let requests = backend.requests.lock().unwrap();
    assert!(
        requests.iter().all(|(_, size)| *size < 4_500 * 300),
        "{requests:?}"
    );
    assert_eq!((requests.len(), losses.total()), (1, 0));
}

#[test]
fn what_the_backend_rejects_of_a_request_is_counted() {
    let (losses, backend) = (Losses::of_spans(), Backend::default());
    let provider = provider(&losses, &backend, 2048);
    backend.rejects.store(3, Relaxed);
    // The exporter runs on the SDK's own thread, which has no subscriber but the global one.
    let subscriber = tracing_subscriber::registry().with(Rejections);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    spans(&provider, 10);
    provider.shutdown().unwrap();
    assert_eq!(losses.total(), 3);
}

#[test]
fn a_backend_without_logs_is_said_once_and_costs_nothing() {
    let losses = Losses::of_log_records();
    let refused = Err(OTelSdkError::InternalFailure(
        "TonicLogsClient export failed with gRPC code: Unimplemented".into(),
    ));
    assert_eq!(losses.refused(), Some(News::Refused));
    losses.exported(5, &refused);
    assert_eq!(losses.refused(), None);
    assert_eq!(losses.total(), 0);
    let spans = Losses::of_spans();
    spans.exported(5, &refused);
    assert_eq!(spans.total(), 5);
}

#[test]
fn log_records_are_counted_like_spans() {
    let (losses, backend) = (Losses::of_log_records(), Backend::default());
    let limits = LogLimits {
        value_length: 4096,
        attributes: 128,
    };
    let provider = SdkLoggerProvider::builder()
        .with_log_processor(losses.count_log_records(backend.clone(), &batch(100), limits))
        .build();
    let logger = provider.logger("test");
    backend.hangs(true);
    for _ in 0..150 {
        logger.emit(logger.create_log_record());
    }
    assert_eq!(losses.0.lost.load(Relaxed), 50);
    backend.hangs(false);
    provider.force_flush().unwrap();
    backend.is_away(true);
    logger.emit(logger.create_log_record());
    // An export that fails is no reason to fail here.
    let _ = provider.force_flush();
    assert_eq!(losses.total(), 51);
    let mut record = logger.create_log_record();
    record.set_body("x".repeat(5_000_000).into());
    logger.emit(record);
    provider.shutdown().unwrap();
    assert_eq!(losses.total(), 52);
}
