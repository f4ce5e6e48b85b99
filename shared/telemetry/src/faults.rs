//! Faults on purpose: what a trace looks like when one hop forgets its context.

use clap::{Args, ValueEnum};

/// A place where context crosses from one process to another, or from a request to a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Hop {
    /// Headers of HTTP requests.
    Http,
    /// The context stored with an outbox row.
    Outbox,
    /// Kafka record headers.
    Kafka,
    /// SQS message attributes.
    Sqs,
    /// Pub/Sub message attributes.
    Pubsub,
}

/// Settings that break something deliberately, for demonstrations and negative tests.
#[derive(Debug, Clone, Default, Args)]
pub struct Faults {
    /// Hops that drop the trace context on purpose, to see what a broken trace looks like.
    #[arg(long, env = "FAULT_DROP_CONTEXT", value_enum, value_delimiter = ',')]
    pub fault_drop_context: Vec<Hop>,
}

impl Faults {
    /// Whether context is propagated over `hop`, as it should be.
    pub fn propagates(&self, hop: Hop) -> bool {
        !self.fault_drop_context.contains(&hop)
    }
}
