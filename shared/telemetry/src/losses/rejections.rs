//! What a backend took a request for and rejected all the same: OTLP calls it a partial success.
//!
//! The exporter tells nobody but the log, on the thread that exports, so that is where it is heard.
//! <https://opentelemetry.io/docs/specs/otlp/#partial-success>

use std::cell::Cell;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

thread_local! {
    /// Of the request that this thread is making.
    static REJECTED: Cell<u64> = const { Cell::new(0) };
}

/// How many were rejected since it was asked last, on this thread.
pub(super) fn take() -> u64 {
    REJECTED.take()
}

/// Hears what the exporters say about partial successes.
#[derive(Debug)]
pub(crate) struct Rejections;

impl<S: Subscriber> Layer<S> for Rejections {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().name().ends_with(".PartialSuccess") {
            event.record(&mut Rejected);
        }
    }
}

struct Rejected;

impl Rejected {
    fn count(field: &Field, rejected: u64) {
        if ["rejected_spans", "rejected_log_records"].contains(&field.name()) {
            REJECTED.set(REJECTED.get() + rejected);
        }
    }
}

impl Visit for Rejected {
    fn record_i64(&mut self, field: &Field, value: i64) {
        Self::count(field, value.try_into().unwrap_or(0));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        Self::count(field, value);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
