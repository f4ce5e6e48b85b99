//! The pipelines that take spans and logs out of the process.

use anyhow::Context;
use opentelemetry::KeyValue;
use opentelemetry_otlp::{LogExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanLimits};
use opentelemetry_semantic_conventions::resource::{
    SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_VERSION,
};
use uuid::Uuid;

use crate::baggage::BaggageSpanProcessor;
use crate::environment::{Otlp, Protocol, Settings};
use crate::losses::Losses;
use crate::otlp;

pub(crate) fn tracer_provider(
    resource: Resource,
    settings: &Settings,
    losses: &Losses,
) -> anyhow::Result<SdkTracerProvider> {
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(settings.sampler.clone())
        .with_span_limits(span_limits(settings))
        .with_span_processor(BaggageSpanProcessor);
    let Some(otlp) = &settings.traces else {
        return Ok(provider.build());
    };
    let exporter = span_exporter(&otlp.within(settings.spans.timeout))
        .with_context(|| format!("{}: cannot export traces", otlp.named_by))?;
    let value_length = settings.limits.value_length;
    Ok(provider
        .with_span_processor(losses.count_spans(exporter, &settings.spans, value_length))
        .build())
}

pub(crate) fn logger_provider(
    resource: Resource,
    settings: &Settings,
    losses: &Losses,
) -> anyhow::Result<Option<SdkLoggerProvider>> {
    let Some(otlp) = &settings.logs else {
        return Ok(None);
    };
    let exporter = log_exporter(&otlp.within(settings.log_records.timeout))
        .with_context(|| format!("{}: cannot export logs", otlp.named_by))?;
    let limits = settings.log_limits;
    let provider = SdkLoggerProvider::builder()
        .with_resource(resource)
        .with_log_processor(losses.count_log_records(exporter, &settings.log_records, limits));
    Ok(Some(provider.build()))
}

fn span_exporter(otlp: &Otlp) -> anyhow::Result<SpanExporter> {
    let builder = SpanExporter::builder();
    Ok(match otlp.protocol {
        Protocol::Grpc => otlp::over_grpc(builder.with_tonic(), otlp).build()?,
        _ => otlp::over_http(builder.with_http(), otlp)?.build()?,
    })
}

fn log_exporter(otlp: &Otlp) -> anyhow::Result<LogExporter> {
    let builder = LogExporter::builder();
    Ok(match otlp.protocol {
        Protocol::Grpc => otlp::over_grpc(builder.with_tonic(), otlp).build()?,
        _ => otlp::over_http(builder.with_http(), otlp)?.build()?,
    })
}

fn span_limits(settings: &Settings) -> SpanLimits {
    let limits = &settings.limits;
    SpanLimits {
        max_attributes_per_span: limits.attributes,
        max_events_per_span: limits.events,
        max_links_per_span: limits.links,
        max_attributes_per_event: limits.attributes_of_an_event,
        max_attributes_per_link: limits.attributes_of_a_link,
    }
}

/// The process as telemetry names it; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win over our defaults.
pub(crate) fn resource(service: &'static str, settings: &Settings) -> Resource {
    let ours = [
        KeyValue::new(SERVICE_NAME, service),
        KeyValue::new(SERVICE_NAMESPACE, "orderflow"),
        KeyValue::new(SERVICE_VERSION, env!("CARGO_PKG_VERSION")),
        KeyValue::new(SERVICE_INSTANCE_ID, Uuid::new_v4().to_string()),
    ];
    let from_environment = settings.resource_attributes.iter().cloned();
    let named = settings.service_name.clone();
    // The SDK would read these variables too, without decoding them.
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(ours)
        .with_attributes(from_environment.map(|(key, value)| KeyValue::new(key, value)))
        .with_attributes(named.map(|name| KeyValue::new(SERVICE_NAME, name)))
        .build()
}
