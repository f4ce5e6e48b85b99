//! Where the servers are: on this machine, or wherever the standard variables say.

use std::collections::BTreeMap;

use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{host, http};
use crate::ports::{Port, Ports};

/// The project name that the Pub/Sub emulator and its clients agree on.
pub(crate) const PUBSUB_PROJECT: &str = "orderflow";

/// Settings of our own environment that win over what the stack would tell its services.
/// Everything else that a service reads (`OTEL_*`, `RUST_LOG`, `MESSAGING_*`, `FAULT_*` …) it inherits from us.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Servers of your own")]
pub(crate) struct Overrides {
    /// Send telemetry here instead of to the trace store of the stack.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub(super) otlp_endpoint: Option<String>,
    /// Milliseconds that spans wait to leave together [default: 100]; those of a service that is killed go with it.
    #[arg(
        long = "span-delay",
        env = "OTEL_BSP_SCHEDULE_DELAY",
        value_name = "MS"
    )]
    pub(super) otel_bsp_schedule_delay: Option<u32>,
    /// Use this OpenAI-compatible server, for example a local model server, instead of the built-in embeddings.
    #[arg(long, env = "OPENAI_BASE_URL", value_name = "URL")]
    pub(super) openai_base_url: Option<String>,
    /// The key for it. Without `OPENAI_BASE_URL` no real key leaves this process.
    #[arg(
        long,
        env = "OPENAI_API_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub(super) openai_api_key: Option<String>,
    /// The model to ask it for.
    #[arg(long, env = "OPENAI_EMBEDDINGS_MODEL", value_name = "MODEL")]
    pub(super) openai_embeddings_model: Option<String>,
    /// What the built-in embeddings do wrong on purpose, several with commas (docs/faults.md).
    #[arg(
        long,
        env = "FAULT_EMBEDDINGS",
        value_delimiter = ',',
        value_name = "FAULTS"
    )]
    pub(crate) fault_embeddings: Vec<embeddings::Fault>,
    /// What the built-in mail server does wrong on purpose, several with commas (docs/faults.md).
    #[arg(long, env = "FAULT_MAIL", value_delimiter = ',', value_name = "FAULTS")]
    pub(crate) fault_mail: Vec<mail::Fault>,
}

impl Overrides {
    /// Shorter than the SDK's own 5 s: who places an order here wants to see its trace.
    pub(super) fn span_delay_ms(&self) -> u32 {
        self.otel_bsp_schedule_delay.unwrap_or(100)
    }

    /// Whether somebody else turns texts into vectors.
    pub(crate) fn has_embeddings(&self) -> bool {
        self.openai_base_url.is_some()
    }
}

/// The addresses of all servers, as their clients want them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Servers {
    /// `postgres://user[:password]@host:port`; each service has a database of its own on it.
    pub(super) postgres: Url,
    pub(crate) kafka_brokers: String,
    pub(super) sqs: Sqs,
    /// `host:port`, without a scheme.
    pub(crate) pubsub_host: String,
    pub(super) smtp: String,
    /// The base of the mail server's API and page.
    pub(super) mail: String,
    pub(super) otlp: String,
    pub(super) span_delay_ms: u32,
    /// The base of Jaeger's query API and page.
    pub(super) jaeger: String,
    pub(super) embeddings: Embeddings,
    /// By the name of a part: why it is not the real server that was asked for.
    pub(crate) stand_ins: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sqs {
    pub(super) endpoint: String,
    pub(super) region: String,
    /// An emulator takes any key; the SDK insists on having one.
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Embeddings {
    pub(super) base_url: String,
    pub(super) key: Option<String>,
    pub(super) model: Option<String>,
}

impl Servers {
    /// Everything on this machine, at `ports`.
    pub(crate) fn here(ports: &Ports, kafka_brokers: String, overrides: &Overrides) -> Self {
        let otlp = overrides.otlp_endpoint.clone();
        let postgres = format!("postgres://postgres@{}", host(ports.of(Port::Postgres)));
        Self {
            postgres: Url::parse(&postgres).expect("a host and a port make an address"),
            kafka_brokers,
            sqs: Sqs {
                endpoint: http(ports.of(Port::Sqs)),
                region: "us-east-1".to_owned(),
                access_key_id: "orderflow".to_owned(),
                secret_access_key: "orderflow".to_owned(),
            },
            pubsub_host: host(ports.of(Port::PubSub)),
            smtp: format!("smtp://{}", host(ports.of(Port::Smtp))),
            mail: http(ports.of(Port::Mail)),
            otlp: otlp.unwrap_or_else(|| http(ports.of(Port::OtlpGrpc))),
            span_delay_ms: overrides.span_delay_ms(),
            jaeger: http(ports.of(Port::Traces)),
            embeddings: Embeddings::of(ports, overrides),
            stand_ins: BTreeMap::new(),
        }
    }

    /// The address of one database, for a client's `DATABASE_URL`.
    pub(crate) fn database(&self, name: &str) -> String {
        let mut url = self.postgres.clone();
        url.set_path(name);
        url.into()
    }
}

impl Embeddings {
    pub(super) fn of(ports: &Ports, overrides: &Overrides) -> Self {
        match &overrides.openai_base_url {
            Some(url) => Self {
                base_url: url.clone(),
                key: overrides.openai_api_key.clone(),
                model: overrides.openai_embeddings_model.clone(),
            },
            None => Self {
                base_url: format!("{}/v1", http(ports.of(Port::Embeddings))),
                key: Some("orderflow".to_owned()),
                model: Some(embeddings::model::NAME.to_owned()),
            },
        }
    }
}

/// Reads the address of a PostgreSQL server, with or without a database.
pub(super) fn postgres_url(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).context("POSTGRES_URL is no address")?;
    let ours = matches!(url.scheme(), "postgres" | "postgresql") && url.has_host();
    anyhow::ensure!(ours, "POSTGRES_URL must be postgres://user@host:port");
    Ok(url)
}
