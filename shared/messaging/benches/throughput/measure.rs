//! What all runs share: the event, the clock, and tracing.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use otel_carriers::w3c::TraceContextPropagator;
use otel_messaging::{Delivery, Handler, HandlerError};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How long a run may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The client alone.
    Bare,
    /// Our consumer, and nobody who listens to its spans.
    Ours,
    /// Our consumer with the layer of `tracing-opentelemetry`, and spans that are batched and thrown away.
    Traced,
}

impl Mode {
    pub(crate) const ALL: [Self; 3] = [Self::Bare, Self::Ours, Self::Traced];
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bare => "bare",
            Self::Ours => "ours",
            Self::Traced => "traced",
        })
    }
}

impl FromStr for Mode {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mode = Self::ALL.into_iter().find(|mode| mode.to_string() == text);
        mode.with_context(|| format!("there is no mode {text}"))
    }
}

/// What is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: String,
    customer: String,
    cents: u64,
}

impl Order {
    pub(crate) fn number(number: usize) -> Self {
        Self {
            id: format!("0198c0de-7a11-7000-8000-{number:012}"),
            customer: format!("customer-{}", number % 1000),
            cents: 1999,
        }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("it has no keys but strings")
    }

    /// The context of a sampled span: another for each message.
    pub(crate) fn traceparent(number: usize) -> String {
        format!("00-{:032x}-{:016x}-01", number + 1, number + 1)
    }
}

/// Counts messages, and stops the time from the first to the last.
#[derive(Clone)]
pub(crate) struct Count(Arc<State>);

struct State {
    expected: usize,
    received: AtomicUsize,
    first: OnceLock<(Instant, Duration)>,
    last: OnceLock<(Instant, Duration)>,
    done: CancellationToken,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) time: Duration,
    /// Of all threads.
    pub(crate) cpu: Duration,
}

impl Measured {
    pub(crate) fn per_second(&self, messages: usize) -> f64 {
        as_f64(messages) / self.time.as_secs_f64()
    }

    pub(crate) fn cpu_micros(&self, messages: usize) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / as_f64(messages)
    }
}

fn as_f64(messages: usize) -> f64 {
    f64::from(u32::try_from(messages).unwrap_or(u32::MAX))
}

impl Count {
    pub(crate) fn up_to(expected: usize) -> Self {
        Self(Arc::new(State {
            expected,
            received: AtomicUsize::new(0),
            first: OnceLock::new(),
            last: OnceLock::new(),
            done: CancellationToken::new(),
        }))
    }

    pub(crate) fn add(&self) {
        let state = &self.0;
        let before = state.received.fetch_add(1, Ordering::Relaxed);
        if before == 0 {
            state.first.set((Instant::now(), cpu())).ok();
        }
        if before + 1 == state.expected {
            state.last.set((Instant::now(), cpu())).ok();
            state.done.cancel();
        }
    }

    /// Cancelled with the last message.
    pub(crate) fn done(&self) -> CancellationToken {
        self.0.done.clone()
    }

    pub(crate) fn measured(&self) -> anyhow::Result<Measured> {
        let (Some(first), Some(last)) = (self.0.first.get(), self.0.last.get()) else {
            bail!("the consumer ended before its last message");
        };
        Ok(Measured {
            time: last.0 - first.0,
            cpu: last.1.saturating_sub(first.1),
        })
    }
}

impl Handler for Count {
    type Event = Order;

    async fn handle(&self, _: Order, _: &Delivery) -> Result<(), HandlerError> {
        self.add();
        Ok(())
    }
}

/// The processor time of this process, which other processes do not slow down; zero where the system has no `/proc`.
fn cpu() -> Duration {
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// Spans go all the way through the SDK, and nowhere.
pub(crate) fn trace() -> SdkTracerProvider {
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(Nowhere)
        .build();
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(provider.clone());
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("throughput"));
    tracing_subscriber::registry()
        .with(tracing_subscriber::filter::LevelFilter::INFO)
        .with(layer)
        .init();
    provider
}

#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}
