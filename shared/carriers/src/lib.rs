//! OpenTelemetry context in the headers and attributes of three brokers.
//!
//! Each module has a `MetadataInjector` and a `MetadataExtractor` for one broker, and each broker is a feature:
//!
//! | module | feature | context rides in |
//! |---|---|---|
//! | `kafka` | `kafka` | record headers (`rdkafka`) |
//! | `sqs` | `sqs` | message attributes of type `String` (`aws-sdk-sqs`) |
//! | `pubsub` | `pubsub` | message attributes, a map of strings |
//!
//! They implement OpenTelemetry's [`Injector`] and [`Extractor`], so they work with any propagator.
//! W3C Trace Context and Baggage together write `traceparent`, `tracestate` and `baggage`.
//!
//! Nothing here fails: what does not fit a broker's limits is left out and counted
//! (`MetadataInjector::left_out`), because a message must never be lost for its trace.
//!
//! [`Injector`]: opentelemetry::propagation::Injector
//! [`Extractor`]: opentelemetry::propagation::Extractor

#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "pubsub")]
pub mod pubsub;
#[cfg(feature = "sqs")]
pub mod sqs;
