//! Which propagators carry context over a boundary.

use opentelemetry::global;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

use crate::environment;

/// Installs the propagators of `OTEL_PROPAGATORS`; also when the SDK is disabled, so that context still passes through.
pub(crate) fn install() -> anyhow::Result<()> {
    let propagators = environment::propagators()?
        .iter()
        .map(|name| propagator(name))
        .collect();
    global::set_text_map_propagator(TextMapCompositePropagator::new(propagators));
    Ok(())
}

fn propagator(name: &str) -> Box<dyn TextMapPropagator + Send + Sync> {
    match name {
        "baggage" => Box::new(BaggagePropagator::new()),
        _ => Box::new(TraceContextPropagator::new()),
    }
}
