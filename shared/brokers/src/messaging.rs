use std::time::Duration;

use clap::{Args, ValueEnum};
use otel_messaging::{ConnectError, Probe, Relation, Settings};

/// How messages are traced and retried, the same for every broker.
#[derive(Debug, Clone, Args)]
#[group(id = "messaging")]
pub struct MessagingArgs {
    /// How the span that processes a message relates to the span that sent it.
    #[arg(
        long,
        env = "MESSAGING_TRACE_RELATION",
        value_enum,
        default_value = "parent"
    )]
    pub messaging_trace_relation: TraceRelation,

    /// Attempts at one message before it goes to the dead-letter destination; while something that it needs is away, attempts do not count.
    #[arg(long, env = "MESSAGING_MAX_ATTEMPTS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=90))]
    pub messaging_max_attempts: u32,

    /// Milliseconds before the second attempt; each further delay is twice as long, up to 30 seconds. On Pub/Sub the subscription's retry policy comes first.
    #[arg(long, env = "MESSAGING_RETRY_DELAY_MS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=30_000))]
    pub messaging_retry_delay_ms: u64,

    /// Messages that are processed at the same time: per consumer on SQS and Pub/Sub, per partition on Kafka.
    #[arg(long, env = "MESSAGING_CONCURRENCY", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub messaging_concurrency: u16,

    /// Milliseconds that a consumer takes at shutdown to finish what is in hand; the rest comes again.
    #[arg(long, env = "MESSAGING_SHUTDOWN_TIMEOUT_MS", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(0..=600_000))]
    pub messaging_shutdown_timeout_ms: u64,
}

/// See [`Relation`], of which this is the form on a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TraceRelation {
    /// Child of the sending span, and linked to it: one trace.
    Parent,
    /// A trace of its own, linked to the sending span: for fan-in, long delays or very large traces.
    Link,
}

impl MessagingArgs {
    /// The settings of a consumer.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        settings.relation = match self.messaging_trace_relation {
            TraceRelation::Parent => Relation::Parent,
            TraceRelation::Link => Relation::Link,
        };
        settings.max_attempts = self.messaging_max_attempts;
        settings.backoff.initial = Duration::from_millis(self.messaging_retry_delay_ms);
        settings.concurrency = self.messaging_concurrency.into();
        settings.drain_timeout = self.shutdown_timeout();
        settings
    }

    /// How long a consumer may take to finish what is in hand.
    pub fn shutdown_timeout(&self) -> Duration {
        Duration::from_millis(self.messaging_shutdown_timeout_ms)
    }
}

/// Whether a consumer can receive: for a service's readiness.
pub async fn check(consumer: Probe) -> Result<(), ConnectError> {
    consumer.check().await
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Service {
        #[command(flatten)]
        messaging: MessagingArgs,
    }

    fn settings(arguments: &[&str]) -> Settings {
        let arguments = ["service"].iter().chain(arguments);
        Service::parse_from(arguments).messaging.settings()
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        assert_eq!(
            format!("{:?}", settings(&[])),
            format!("{:?}", Settings::default())
        );
    }

    #[test]
    fn each_argument_is_a_setting() {
        let settings = settings(&[
            "--messaging-trace-relation=link",
            "--messaging-max-attempts=3",
            "--messaging-retry-delay-ms=50",
            "--messaging-concurrency=4",
            "--messaging-shutdown-timeout-ms=0",
        ]);
        assert_eq!(settings.relation, Relation::Link);
        assert_eq!((settings.max_attempts, settings.concurrency), (3, 4));
        assert_eq!(settings.backoff.initial, Duration::from_millis(50));
        assert_eq!(settings.drain_timeout, Duration::ZERO);
    }

    #[test]
    fn refuses_zero_attempts_and_more_than_brokers_allow() {
        for attempts in ["0", "91"] {
            let arguments = ["service", "--messaging-max-attempts", attempts];
            assert!(Service::try_parse_from(arguments).is_err(), "{attempts}");
        }
    }
}
