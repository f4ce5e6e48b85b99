//! The pipelines that take spans and logs out of the process.

use anyhow::Context;
use opentelemetry::KeyValue;
use opentelemetry_otlp::{LogExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use opentelemetry_semantic_conventions::resource::{
    SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_VERSION,
};
use uuid::Uuid;

use crate::baggage::BaggageSpanProcessor;
use crate::environment;
use crate::losses::Losses;

pub(crate) fn tracer_provider(
    resource: Resource,
    losses: &Losses,
) -> anyhow::Result<SdkTracerProvider> {
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_span_processor(BaggageSpanProcessor);
    if !environment::exports_otlp("OTEL_TRACES_EXPORTER")? {
        return Ok(provider.build());
    }
    let builder = SpanExporter::builder();
    let exporter = if protocol_is_set("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") {
        builder.build()
    } else {
        builder.with_tonic().build()
    };
    let exporter = exporter.context("OTEL_EXPORTER_OTLP_*: cannot export traces")?;
    Ok(provider
        .with_span_processor(losses.count_spans(exporter))
        .build())
}

pub(crate) fn logger_provider(
    resource: Resource,
    losses: &Losses,
) -> anyhow::Result<Option<SdkLoggerProvider>> {
    if !environment::exports_otlp("OTEL_LOGS_EXPORTER")? {
        return Ok(None);
    }
    let builder = LogExporter::builder();
    let exporter = if protocol_is_set("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL") {
        builder.build()
    } else {
        builder.with_tonic().build()
    };
    let exporter = exporter.context("OTEL_EXPORTER_OTLP_*: cannot export logs")?;
    let provider = SdkLoggerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(losses.count_batches(exporter));
    Ok(Some(provider.build()))
}

/// Without a word from outside the protocol is gRPC; the SDK alone would choose `http/json`.
fn protocol_is_set(of_signal: &str) -> bool {
    [of_signal, "OTEL_EXPORTER_OTLP_PROTOCOL"]
        .into_iter()
        .any(|name| environment::variable(name).is_some())
}

/// The process as telemetry names it; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win over our defaults.
pub(crate) fn resource(service: &'static str) -> Resource {
    let from_environment = Resource::builder().build();
    let named = from_environment
        .get(&SERVICE_NAME.into())
        .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let ours = [
        KeyValue::new(SERVICE_NAMESPACE, "orderflow"),
        KeyValue::new(SERVICE_VERSION, env!("CARGO_PKG_VERSION")),
        KeyValue::new(SERVICE_INSTANCE_ID, Uuid::new_v4().to_string()),
    ];
    let ours = ours
        .into_iter()
        .filter(|default| from_environment.get(&default.key).is_none());
    let mut resource = Resource::builder().with_attributes(ours);
    if !named {
        resource = resource.with_service_name(service);
    }
    resource.build()
}
