//! OpenTelemetry context in the headers and attributes of three brokers, and of what stands in front of them.
//!
//! Each module has a `MetadataInjector` and a `MetadataExtractor` for one of them, and each is a feature:
//!
//! | module | feature | context rides in |
//! |---|---|---|
//! | `kafka` | `kafka` | record headers (`rdkafka`) |
//! | `sqs` | `sqs` | message attributes of type `String` (`aws-sdk-sqs`) |
//! | `pubsub` | `pubsub` | message attributes, a map of strings |
//! | `sns` | `sns` | message attributes of type `String` (`aws-sdk-sns`); on a queue perhaps in an envelope |
//! | `eventbridge` | `eventbridge` | the detail of an event, a string of JSON; on a queue in an envelope |
//!
//! They implement OpenTelemetry's [`Injector`] and [`Extractor`], so they work with any propagator.
//! W3C Trace Context and Baggage together write `traceparent`, `tracestate` and `baggage`; [`w3c`] has propagators for
//! them that hold to the two specifications, with any carrier, and needs no feature.
//!
//! # What all of them do
//!
//! - **Write**: a key replaces what stands under it, in upper or lower case, so that a message that is sent again
//!   carries one context. An empty value removes the key: an old `tracestate` says nothing about a new trace.
//! - **No room**: what does not fit a broker's limits is left out and counted (`MetadataInjector::left_out`), because a
//!   message must never be lost for its trace. `traceparent` takes the place of `baggage`, else of `tracestate`, in
//!   whatever order a propagator writes them.
//! - **Read**: names in upper or lower case; a value that is null, binary or not text is no context. Nothing panics.
//!
//! [`Injector`]: opentelemetry::propagation::Injector
//! [`Extractor`]: opentelemetry::propagation::Extractor

#[cfg(any(
    feature = "eventbridge",
    feature = "pubsub",
    feature = "sns",
    feature = "sqs"
))]
mod attributes;
#[cfg(any(feature = "sns", feature = "sqs"))]
mod aws;
#[cfg(any(feature = "eventbridge", feature = "sns", feature = "sqs"))]
mod envelope;
#[cfg(feature = "eventbridge")]
pub mod eventbridge;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(any(feature = "eventbridge", feature = "sns", feature = "sqs"))]
mod members;
#[cfg(feature = "pubsub")]
pub mod pubsub;
#[cfg(feature = "sns")]
pub mod sns;
#[cfg(feature = "sqs")]
pub mod sqs;
pub mod w3c;
#[cfg(feature = "sqs")]
mod xray;

/// Compiles and runs what the README shows.
#[cfg(all(
    doctest,
    feature = "eventbridge",
    feature = "kafka",
    feature = "pubsub",
    feature = "sns",
    feature = "sqs"
))]
#[doc = include_str!("../README.md")]
struct Readme;
