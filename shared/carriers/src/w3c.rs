//! W3C Trace Context and W3C Baggage to the letter.
//!
//! [`TraceContextPropagator`] and [`BaggagePropagator`] take the place of those of `opentelemetry_sdk` 0.33, with any
//! carrier, over HTTP too. What differs:
//!
//! | | `opentelemetry_sdk` 0.33 | here |
//! |---|---|---|
//! | ids of the wrong length: `00-abc-12-1` | continued | no context |
//! | several `traceparent` | the first | no context |
//! | several `tracestate` or `baggage` | the first of them | one list, in their order |
//! | a `tracestate` with a key twice, or of 33 members | continued | left out, and the trace is continued |
//! | a `tracestate` of more than 512 characters | sent | whole members are left out, as the specification says |
//! | the flag for random trace ids (level 2) | cleared | kept; others are cleared |
//! | a baggage value `a=b` | `a` | `a=b` |
//! | a baggage value `100%25` | one `%25` less at each hop | the same after any number of hops |
//! | spaces at the ends of a baggage value | cut off | kept |
//! | octets that are no UTF-8 in a baggage value | the member is lost | U+FFFD in their place |
//! | more baggage than fits | as chance will have it | what was set here goes first, then what came, in its order |
//!
//! ```
//! use opentelemetry::global;
//!
//! global::set_text_map_propagator(otel_carriers::w3c::propagator());
//! ```

mod baggage;
mod trace_context;
mod tracestate;

use opentelemetry::propagation::TextMapCompositePropagator;

pub use baggage::{BaggagePropagator, add_baggage, only_baggage};
#[cfg(any(
    feature = "eventbridge",
    feature = "kafka",
    feature = "pubsub",
    feature = "sns",
    feature = "sqs"
))]
pub(crate) use trace_context::TRACEPARENT;
pub use trace_context::TraceContextPropagator;
#[cfg(any(
    feature = "eventbridge",
    feature = "pubsub",
    feature = "sns",
    feature = "sqs"
))]
pub(crate) use {baggage::BAGGAGE, trace_context::is_usable, tracestate::TRACESTATE};

/// What the W3C propagators write, the most important first.
///
/// Without `traceparent` there is no trace; without `tracestate` a backend may lose its sampling weights; `baggage` is
/// the application's own.
#[cfg(any(
    feature = "eventbridge",
    feature = "pubsub",
    feature = "sns",
    feature = "sqs"
))]
pub(crate) const FIELDS: [&str; 3] = [TRACEPARENT, TRACESTATE, BAGGAGE];

/// Both propagators, in the usual order.
///
/// ```
/// use std::collections::HashMap;
/// use opentelemetry::Context;
/// use opentelemetry::propagation::TextMapPropagator;
/// use opentelemetry::baggage::BaggageExt;
///
/// let carrier = HashMap::from([("baggage".to_owned(), "discount=100%2525, tier=a=b".to_owned())]);
/// let context = otel_carriers::w3c::propagator().extract_with_context(&Context::new(), &carrier);
/// assert_eq!(context.baggage().get("discount").unwrap().as_str(), "100%25");
/// assert_eq!(context.baggage().get("tier").unwrap().as_str(), "a=b");
/// ```
pub fn propagator() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ])
}
