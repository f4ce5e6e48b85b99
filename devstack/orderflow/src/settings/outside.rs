//! Servers that somebody else runs, in containers or elsewhere, by the standard names of their settings.

use std::collections::BTreeMap;

use anyhow::ensure;
use clap::Args;

use super::servers::{Embeddings, Overrides, Servers, Sqs, postgres_url};
use crate::ports::Ports;

/// Where the servers are with `--servers outside`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "With --servers outside")]
pub(crate) struct Outside {
    /// PostgreSQL, for example `postgres://postgres:postgres@127.0.0.1:5432`; databases that are missing are created.
    #[arg(long, env = "POSTGRES_URL", value_name = "URL", hide_env_values = true)]
    postgres_url: Option<String>,
    /// Kafka's `host:port`, several with commas; topics that are missing are created.
    #[arg(long, env = "KAFKA_BROKERS", value_name = "LIST")]
    kafka_brokers: Option<String>,
    /// SQS, or an emulator of it. It must have the queues.
    #[arg(long, env = "AWS_ENDPOINT_URL_SQS", value_name = "URL")]
    aws_endpoint_url_sqs: Option<String>,
    #[arg(
        long,
        env = "AWS_REGION",
        value_name = "REGION",
        default_value = "us-east-1"
    )]
    aws_region: String,
    #[arg(
        long,
        env = "AWS_ACCESS_KEY_ID",
        value_name = "ID",
        default_value = "orderflow",
        hide_env_values = true
    )]
    aws_access_key_id: String,
    #[arg(
        long,
        env = "AWS_SECRET_ACCESS_KEY",
        value_name = "KEY",
        default_value = "orderflow",
        hide_env_values = true
    )]
    aws_secret_access_key: String,
    /// The Pub/Sub emulator's `host:port`; topics and subscriptions that are missing are created.
    #[arg(long, env = "PUBSUB_EMULATOR_HOST", value_name = "HOST:PORT")]
    pubsub_emulator_host: Option<String>,
    /// The mail server, `smtp://host:port`.
    #[arg(long, env = "SMTP_URL", value_name = "URL")]
    smtp_url: Option<String>,
    /// The mail server's API and page.
    #[arg(long, env = "MAIL_URL", value_name = "URL")]
    mail_url: Option<String>,
    /// Jaeger's query API and page.
    #[arg(long, env = "JAEGER_URL", value_name = "URL")]
    jaeger_url: Option<String>,
}

impl Outside {
    /// The addresses of all servers, or one line that names every setting that is missing.
    pub(crate) fn servers(self, ports: &Ports, overrides: &Overrides) -> anyhow::Result<Servers> {
        let otlp = overrides.otlp_endpoint.clone();
        let missing = self.missing(otlp.as_ref());
        ensure!(
            missing.is_empty(),
            "--servers outside starts no servers and must know where they are: set {}",
            missing.join(", ")
        );
        let known = Option::unwrap_or_default;
        Ok(Servers {
            postgres: postgres_url(&known(self.postgres_url))?,
            kafka_brokers: known(self.kafka_brokers),
            sqs: Sqs {
                endpoint: known(self.aws_endpoint_url_sqs),
                region: self.aws_region,
                access_key_id: self.aws_access_key_id,
                secret_access_key: self.aws_secret_access_key,
            },
            pubsub_host: known(self.pubsub_emulator_host),
            smtp: known(self.smtp_url),
            mail: base(&known(self.mail_url)),
            otlp: known(otlp),
            span_delay_ms: overrides.span_delay_ms(),
            jaeger: base(&known(self.jaeger_url)),
            embeddings: Embeddings::of(ports, overrides),
            stand_ins: BTreeMap::new(),
        })
    }

    fn missing(&self, otlp: Option<&String>) -> Vec<&'static str> {
        let needed = [
            ("POSTGRES_URL", self.postgres_url.as_ref()),
            ("KAFKA_BROKERS", self.kafka_brokers.as_ref()),
            ("AWS_ENDPOINT_URL_SQS", self.aws_endpoint_url_sqs.as_ref()),
            ("PUBSUB_EMULATOR_HOST", self.pubsub_emulator_host.as_ref()),
            ("SMTP_URL", self.smtp_url.as_ref()),
            ("MAIL_URL", self.mail_url.as_ref()),
            ("JAEGER_URL", self.jaeger_url.as_ref()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", otlp),
        ];
        let absent = |value: Option<&String>| value.is_none_or(String::is_empty);
        let needed = needed.into_iter().filter(|(_, value)| absent(*value));
        needed.map(|(name, _)| name).collect()
    }
}

/// Without a final slash, since paths are added to it.
fn base(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::ports::tests::default_ports;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        outside: Outside,
        #[command(flatten)]
        overrides: Overrides,
    }

    fn servers(arguments: &[&str]) -> anyhow::Result<Servers> {
        let arguments = Arguments::parse_from([&["orderflow"], arguments].concat());
        arguments
            .outside
            .servers(&default_ports(), &arguments.overrides)
    }

    const ALL: [&str; 8] = [
        "--postgres-url=postgresql://me:secret@db:5432/?sslmode=disable",
        "--kafka-brokers=kafka:9092",
        "--aws-endpoint-url-sqs=http://sqs:9324",
        "--pubsub-emulator-host=pubsub:8085",
        "--smtp-url=smtp://mail:1025",
        "--mail-url=http://mail:1080/",
        "--jaeger-url=http://jaeger:16686",
        "--otlp-endpoint=http://collector:4317",
    ];

    #[test]
    fn each_service_gets_a_database_of_its_own_on_the_server_that_was_named() {
        assert_eq!(
            servers(&ALL).unwrap().database("orders"),
            "postgresql://me:secret@db:5432/orders?sslmode=disable"
        );
    }

    #[test]
    fn every_setting_that_is_missing_is_named_in_one_line() {
        let some = [&ALL[..1], &ALL[3..7], &["--kafka-brokers="]].concat();
        let message = servers(&some).unwrap_err().to_string();
        assert!(
            message
                .ends_with("set KAFKA_BROKERS, AWS_ENDPOINT_URL_SQS, OTEL_EXPORTER_OTLP_ENDPOINT"),
            "{message}"
        );
    }

    #[test]
    fn an_address_that_is_not_postgresql_is_refused() {
        let mut all = ALL;
        all[0] = "--postgres-url=http://db";
        let message = servers(&all).unwrap_err().to_string();
        assert!(message.contains("postgres://"), "{message}");
    }
}
