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
