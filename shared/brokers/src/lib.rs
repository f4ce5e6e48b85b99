//! The brokers of OrderFlow's services, as settings: from the command line and the environment to the clients of
//! `otel-messaging`, which knows neither.

#[cfg(any(feature = "kafka", feature = "sqs", feature = "pubsub"))]
mod address;
#[cfg(feature = "kafka")]
mod kafka;
mod messaging;
#[cfg(feature = "pubsub")]
mod pubsub;
#[cfg(feature = "sqs")]
mod sqs;

#[cfg(feature = "kafka")]
pub use kafka::{
    Compression, KafkaArgs, KafkaSecurityArgs, OauthArgs, SaslMechanism, SecurityProtocol,
};
pub use messaging::{MessagingArgs, TraceRelation, check};
#[cfg(feature = "pubsub")]
pub use pubsub::PubsubArgs;
#[cfg(feature = "sqs")]
pub use sqs::{SqsArgs, SqsKeys};
