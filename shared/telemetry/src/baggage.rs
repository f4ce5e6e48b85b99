//! Baggage on spans: what an order carries along is seen on each of its spans.

use std::time::Duration;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::Span as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// Baggage keys, and the attributes that show them. A list, because baggage may come from anywhere.
const SHOWN: [(&str, &str); 2] = [
    ("order.id", "orderflow.order.id"),
    ("customer.tier", "orderflow.customer.tier"),
];

/// Copies the listed baggage onto each span as it starts.
#[derive(Debug)]
pub(crate) struct BaggageSpanProcessor;

impl SpanProcessor for BaggageSpanProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        for (key, attribute) in SHOWN {
            if let Some(value) = context.baggage().get(key) {
                span.set_attribute(KeyValue::new(attribute, value.to_string()));
            }
        }
    }

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
