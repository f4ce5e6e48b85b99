//! How messages are traced and retried, the same for every broker.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// How a `process` span relates to the `send` span of its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Relation {
    /// Child of the sending span, and linked to it: one trace.
    Parent,
    /// A trace of its own, linked to the sending span: for fan-in, long delays or very large traces.
    Link,
}

/// Settings of every consumer.
#[derive(Debug, Clone, Args)]
#[group(id = "messaging")]
pub struct Settings {
    /// How the span that processes a message relates to the span that sent it.
    #[arg(
        long,
        env = "MESSAGING_TRACE_RELATION",
        value_enum,
        default_value = "parent"
    )]
    pub messaging_trace_relation: Relation,

    /// Deliveries of one message before it goes to the dead-letter destination.
    #[arg(long, env = "MESSAGING_MAX_ATTEMPTS", default_value_t = DEFAULT_MAX_ATTEMPTS, value_parser = clap::value_parser!(u32).range(1..=90))]
    pub messaging_max_attempts: u32,

    /// Milliseconds before the second attempt; each further delay is twice as long, up to 30 seconds.
    #[arg(long, env = "MESSAGING_RETRY_DELAY_MS", default_value_t = DEFAULT_RETRY_DELAY_MS, value_parser = clap::value_parser!(u64).range(1..=30_000))]
    pub messaging_retry_delay_ms: u64,

    /// Messages that one consumer of SQS or Pub/Sub processes at the same time; on Kafka it is one per partition.
    #[arg(long, env = "MESSAGING_CONCURRENCY", default_value_t = DEFAULT_CONCURRENCY, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub messaging_concurrency: u16,

    /// Milliseconds that a consumer takes at shutdown to finish what is in hand; the rest comes again.
    #[arg(long, env = "MESSAGING_SHUTDOWN_TIMEOUT_MS", default_value_t = DEFAULT_SHUTDOWN_TIMEOUT_MS, value_parser = clap::value_parser!(u64).range(0..=600_000))]
    pub messaging_shutdown_timeout_ms: u64,
}

impl Default for Settings {
    /// What the command line has without arguments.
    fn default() -> Self {
        Self {
            messaging_trace_relation: Relation::Parent,
            messaging_max_attempts: DEFAULT_MAX_ATTEMPTS,
            messaging_retry_delay_ms: DEFAULT_RETRY_DELAY_MS,
            messaging_concurrency: DEFAULT_CONCURRENCY,
            messaging_shutdown_timeout_ms: DEFAULT_SHUTDOWN_TIMEOUT_MS,
        }
    }
}

/// With the delays below, an outage of six minutes is waited for.
const DEFAULT_MAX_ATTEMPTS: u32 = 20;
const DEFAULT_RETRY_DELAY_MS: u64 = 200;
const DEFAULT_CONCURRENCY: u16 = 32;
const DEFAULT_SHUTDOWN_TIMEOUT_MS: u64 = 5000;
const LONGEST_DELAY: Duration = Duration::from_secs(30);

impl Settings {
    /// How long a consumer may take to finish what is in hand.
    pub fn shutdown_timeout(&self) -> Duration {
        Duration::from_millis(self.messaging_shutdown_timeout_ms)
    }

    /// How long to wait after `attempt` failed.
    pub(crate) fn retry_delay(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        Duration::from_millis(self.messaging_retry_delay_ms)
            .saturating_mul(1 << doublings)
            .min(LONGEST_DELAY)
    }
}

/// Checks a list of `host:port`, separated by commas.
pub(crate) fn hosts(text: &str) -> Result<String, String> {
    let wrong = text.split(',').map(str::trim).find(|host| !is_host(host));
    match wrong {
        Some(wrong) => Err(format!("{wrong:?} is not host:port")),
        None => Ok(text.to_owned()),
    }
}

fn is_host(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
    })
}

/// Checks that `text` begins as an HTTP URL does.
pub(crate) fn endpoint(text: &str) -> Result<String, String> {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match rest {
        Some(host) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("it is not a URL that begins with http:// or https://".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Service {
        #[command(flatten)]
        messaging: Settings,
    }

    fn settings(arguments: &[&str]) -> Settings {
        let arguments = ["service"].iter().chain(arguments);
        Service::parse_from(arguments).messaging
    }

    #[test]
    fn each_delay_is_twice_the_one_before() {
        let settings = settings(&["--messaging-retry-delay-ms", "100"]);
        assert_eq!(settings.retry_delay(1), Duration::from_millis(100));
        assert_eq!(settings.retry_delay(2), Duration::from_millis(200));
        assert_eq!(settings.retry_delay(5), Duration::from_millis(1600));
    }

    #[test]
    fn no_delay_is_longer_than_half_a_minute() {
        let settings = settings(&[]);
        assert_eq!(settings.retry_delay(u32::MAX), LONGEST_DELAY);
    }

    #[test]
    fn the_defaults_are_those_of_the_command_line() {
        assert_eq!(
            format!("{:?}", settings(&[])),
            format!("{:?}", Settings::default())
        );
    }

    #[test]
    fn refuses_an_address_that_is_none() {
        assert!(hosts("kafka-1:9092,[::1]:9092").is_ok());
        for wrong in [
            "kafka",
            "http://kafka:9092",
            ":9092",
            "kafka:port",
            "a:1,,b:2",
        ] {
            assert!(hosts(wrong).is_err(), "{wrong}");
        }
        assert!(endpoint("http://localhost:9324").is_ok());
        assert!(endpoint("localhost:9324").is_err());
    }

    #[test]
    fn refuses_zero_attempts() {
        assert!(Service::try_parse_from(["service", "--messaging-max-attempts", "0"]).is_err());
    }
}
