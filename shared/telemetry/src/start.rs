//! One call starts telemetry, one call stops it and loses nothing.

use std::time::{Duration, Instant};

use anyhow::Context;
use opentelemetry::global;
use opentelemetry::trace::noop::NoopTracer;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, dynamic_filter_fn, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::environment::settings;
use crate::losses::{Losses, Rejections};
use crate::{console, environment, export, losses, propagation};

/// How long a stop waits for a backend that does not answer, with the last spans and then with the last log records.
const FLUSH_WITHIN: Duration = Duration::from_secs(5);
/// What the log records have of it at least: the last line of all is about the spans that were lost.
const LAST_LOGS_WITHIN: Duration = Duration::from_secs(1);
/// The longest that [`Telemetry::stop`] takes. Whoever ends a process must leave it as much.
pub const STOP_WITHIN: Duration = FLUSH_WITHIN.saturating_add(LAST_LOGS_WITHIN);

/// What a log line needs to be shown when `RUST_LOG` says nothing.
const DEFAULT_LOG_FILTER: &str = "info,sqlx=warn";
/// The SDK writes under these names, and its lines have a level of their own: `OTEL_LOG_LEVEL`.
const SDK_TARGETS: [&str; 4] = [
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry_otlp",
    "opentelemetry-otlp",
];

/// What a service's `--help` says about the settings that are not its own.
pub const SETTINGS_HELP: &str = "\
Telemetry follows OpenTelemetry's standard variables, among them:
  OTEL_EXPORTER_OTLP_ENDPOINT  where traces and logs go [default: http://localhost:4317, gRPC]
  OTEL_EXPORTER_OTLP_PROTOCOL  grpc, http/protobuf or http/json [default: grpc]
  OTEL_EXPORTER_OTLP_*         headers, compression, certificates, timeouts
  OTEL_TRACES_EXPORTER         otlp or none [default: otlp]; OTEL_LOGS_EXPORTER likewise
  OTEL_TRACES_SAMPLER          parentbased_always_on, parentbased_traceidratio and others
  OTEL_PROPAGATORS             [default: tracecontext,baggage]
  OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_SDK_DISABLED, OTEL_BSP_*, OTEL_BLRP_*
  RUST_LOG                     which log lines to show and to export [default: info]";

/// Targets that the exporters themselves write to: exporting those would never end.
const EXPORTERS_OWN: [&str; 6] = ["opentelemetry", "tonic", "h2", "hyper", "reqwest", "tower"];

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Running telemetry. Dropping it flushes nothing: call [`Telemetry::stop`].
#[derive(Debug)]
#[must_use = "spans and logs that were not exported yet are lost unless it is stopped"]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    logs: Option<SdkLoggerProvider>,
    losses: Losses,
}

/// Starts traces, console logs and OTLP logs for the service named `service`.
///
/// Call it once, inside the Tokio runtime.
/// An error names the `OTEL_*` or `RUST_LOG` value that cannot be followed; a collector that is away is no error.
pub fn start(service: &'static str) -> anyhow::Result<Telemetry> {
    propagation::install();
    if environment::sdk_disabled() {
        // Its spans have the context of their parents, so what came in goes out.
        install(vec![console_layer()?, span_layer(NoopTracer::new())])?;
        return Ok(Telemetry {
            traces: None,
            logs: None,
            losses: Losses::of_spans(),
        });
    }
    environment::refusal()?;
    let mut layers: Vec<BoxedLayer> = vec![console_layer()?];
    let resource = export::resource(service, settings());
    let losses = Losses::of_spans();
    let traces = export::tracer_provider(resource.clone(), settings(), &losses)?;
    global::set_tracer_provider(traces.clone());
    layers.push(span_layer(traces.tracer("orderflow")));
    layers.push(Rejections.boxed());
    let logs = export::logger_provider(resource, settings(), &Losses::of_log_records())?;
    if let Some(logs) = &logs {
        layers.push(log_layer(logs)?);
    }
    install(layers)?;
    for warning in environment::warnings() {
        tracing::warn!("{warning}");
    }
    Ok(Telemetry {
        traces: Some(traces),
        logs,
        losses,
    })
}

/// Starts the console logs and nothing else, for a process that makes no spans.
///
/// An error names the `RUST_LOG` that cannot be followed.
pub fn logs_alone() -> anyhow::Result<()> {
    install(vec![console_layer()?])
}

fn install(layers: Vec<BoxedLayer>) -> anyhow::Result<()> {
    tracing_subscriber::registry()
        .with(layers)
        .try_init()
        .context("telemetry was started twice")
}

fn console_layer() -> anyhow::Result<BoxedLayer> {
    Ok(console::layer().with_filter(console_filter()?).boxed())
}

/// A dynamic one, as that of the spans: without them it is the only one, and log lines would be lost in their place.
fn console_filter() -> anyhow::Result<impl Filter<Registry> + Send + Sync> {
    let not_said_better = dynamic_filter_fn(|line, _| !losses::are_said_of(line));
    Ok(not_said_better.and(log_filter()?))
}

fn log_filter() -> anyhow::Result<EnvFilter> {
    let directives = environment::variable("RUST_LOG");
    EnvFilter::try_new(directives.clone().unwrap_or_else(default_log_filter))
        .with_context(|| format!("RUST_LOG={}", directives.unwrap_or_default()))
}

fn default_log_filter() -> String {
    let level = settings().sdk_log_level;
    let of_sdk = SDK_TARGETS.map(|target| format!(",{target}={level}"));
    format!("{DEFAULT_LOG_FILTER}{}", of_sdk.concat())
}

/// Spans have a filter of their own, so that `RUST_LOG=warn` makes the console quiet and leaves traces whole.
///
/// It is a dynamic one on purpose.
/// When all filters answer once and for all, `tracing` no longer asks them, and a library that only asks whether it may
/// log through the crate `log`, as librdkafka's does, leaves its answer behind for the next span, which is then lost.
pub(crate) fn span_layer<T>(tracer: T) -> BoxedLayer
where
    T: Tracer<Span: Send + Sync> + Send + Sync + 'static,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(dynamic_filter_fn(|metadata, _| {
            metadata.is_span() && *metadata.level() <= Level::INFO
        }))
        .boxed()
}

fn log_layer(logs: &SdkLoggerProvider) -> anyhow::Result<BoxedLayer> {
    let not_exporters_own = filter_fn(|metadata| !is_exporters_own(metadata));
    Ok(OpenTelemetryTracingBridge::new(logs)
        .with_filter(not_exporters_own.and(log_filter()?))
        .boxed())
}

fn is_exporters_own(metadata: &Metadata<'_>) -> bool {
    EXPORTERS_OWN
        .iter()
        .any(|target| metadata.target().starts_with(target))
}

impl Telemetry {
    /// Exports what is still in hand and stops.
    ///
    /// It takes at most [`STOP_WITHIN`]: a backend that is away must not keep a service from ending.
    pub async fn stop(self) {
        // The SDK blocks its thread while the exporters need the runtime's.
        let stopped = tokio::task::spawn_blocking(move || self.shut_down()).await;
        if stopped.is_err() {
            tracing::error!("telemetry panicked while stopping");
        }
    }

    fn shut_down(self) {
        let begun = Instant::now();
        let traces = self
            .traces
            .map(|traces| traces.shutdown_with_timeout(FLUSH_WITHIN));
        if let Some(Err(error)) = traces {
            tracing::warn!(%error, "the last spans may be lost");
        }
        // Before the logs stop, so that it is among them.
        self.losses.say_total();
        let left = FLUSH_WITHIN.saturating_sub(begun.elapsed());
        let within = left.max(LAST_LOGS_WITHIN);
        let logs = self.logs.map(|logs| logs.shutdown_with_timeout(within));
        if let Some(Err(error)) = logs {
            tracing::warn!(%error, "the last log records may be lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use log::Log;
    use opentelemetry_sdk::trace::InMemorySpanExporter;
    use tracing::{Event, Subscriber, info_span};
    use tracing_log::LogTracer;

    use super::*;

    /// Counts the log lines that reach it.
    struct Counter(Arc<AtomicUsize>);

    impl<S: Subscriber> Layer<S> for Counter {
        fn on_event(&self, _: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_library_that_asks_whether_it_may_log_costs_no_log_line() {
        let lines = Arc::new(AtomicUsize::new(0));
        let counter = Counter(lines.clone()).with_filter(console_filter().unwrap());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(counter), || {
            for _ in 0..3 {
                let asked = log::Metadata::builder().level(log::Level::Debug).build();
                LogTracer::new().enabled(&asked);
                tracing::info!("said");
            }
        });
        assert_eq!(lines.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_library_that_asks_whether_it_may_log_costs_no_span() {
        let exporter = InMemorySpanExporter::default();
        let traces = SdkTracerProvider::builder()
            .with_simple_exporter(exporter.clone())
            .build();
        let logs = SdkLoggerProvider::builder().build();
        let layers = vec![
            console_layer().unwrap(),
            span_layer(traces.tracer("orderflow")),
            log_layer(&logs).unwrap(),
        ];
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layers), || {
            for _ in 0..3 {
                let asked = log::Metadata::builder().level(log::Level::Debug).build();
                LogTracer::new().enabled(&asked);
                info_span!("statement").in_scope(|| ());
            }
        });
        assert_eq!(exporter.get_finished_spans().unwrap().len(), 3);
    }
}
