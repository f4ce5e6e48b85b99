//! What `up` and `demo` are started with, and what follows from it.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use crate::flags::Flags;
use crate::install::Cache;
use crate::parts::part::{Faults, Part};
use crate::ports::{Claims, Port};
use crate::service::SERVICES;
use crate::settings::Addresses;
use crate::table::{OPENAI_URL, OTLP_ENDPOINT, PARTS};

/// Where the servers come from that the services talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// PostgreSQL, librdkafka's mock cluster, and small stand-ins of our own for the rest.
    Embedded,
    /// The real servers as processes on this machine, fetched or built on the first run: Kafka, ElasticMQ, Google's
    /// Pub/Sub emulator, Jaeger, `VictoriaLogs` and `MailDev`. What this machine cannot provide is named, and a stand-in takes its place.
    Native,
    /// Servers that run elsewhere, for example in containers; only the services are started.
    Outside,
}

/// For a connection to an address that a user has named.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// What `up` and `demo` are started with.
#[derive(Debug, Args)]
pub(crate) struct StackArgs {
    /// Where the servers come from.
    #[arg(
        long,
        env = "ORDERFLOW_SERVERS",
        value_enum,
        default_value_t = Source::Embedded,
        value_name = "SOURCE"
    )]
    pub(super) servers: Source,
    /// Forget what earlier runs kept (databases, messages and logs).
    #[arg(long)]
    pub(super) fresh: bool,
    /// Take free ports, so that it does not matter what else is running.
    #[arg(long)]
    free_ports: bool,
    /// For tests: live for as long as standard input is open, and remove the folder at the end.
    #[arg(long, hide = true)]
    pub(super) for_test: bool,
    #[command(flatten)]
    pub(super) flags: Flags,
    #[command(flatten)]
    pub(super) faults: Faults,
    #[command(flatten)]
    pub(super) cache: Cache,
}

/// What is to be started where.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) args: StackArgs,
    pub(super) claims: Claims,
    /// What is started here; without the services.
    pub(super) here: Vec<&'static Part>,
    pub(super) with_services: bool,
}

impl Plan {
    /// What services and clients are told.
    pub(super) fn addresses(&self) -> anyhow::Result<Addresses> {
        let is_outside = self.args.servers == Source::Outside;
        self.args.flags.addresses(&self.here, is_outside)
    }
}

impl StackArgs {
    /// Where the user has telemetry sent instead of to the store of the stack.
    pub(crate) fn elsewhere(&self) -> Option<&str> {
        let ports = (!self.free_ports).then_some(&self.flags.ports);
        let elsewhere = self.flags.elsewhere(ports);
        elsewhere.filter(|_| self.servers != Source::Outside)
    }

    /// Fails with one line that names the variable if nobody is there at an address that takes the place of one of ours.
    pub(crate) async fn look_elsewhere(&self) -> anyhow::Result<()> {
        for (variable, address) in [
            (OTLP_ENDPOINT, self.elsewhere()),
            (OPENAI_URL, self.flags.given(OPENAI_URL)),
        ] {
            if let Some(address) = address {
                connect(address)
                    .await
                    .with_context(|| format!("{variable} is set, and nobody is there; unset it"))?;
            }
        }
        Ok(())
    }
    /// The folder of logs and data; the embedded mode has them in the stack's own.
    pub(super) fn data_folder(&self) -> Option<&'static str> {
        match self.servers {
            Source::Embedded => None,
            Source::Native => Some("native"),
            Source::Outside => Some("outside"),
        }
    }

    /// Claims every port that is needed; says what is missing before anything has started.
    pub(super) fn plan(mut self, with_services: bool) -> anyhow::Result<Plan> {
        let here: Vec<_> = PARTS.iter().filter(|part| self.starts(part)).collect();
        let wanted = self.wanted_ports(&here, with_services);
        let claims = self.flags.ports.claim(&wanted, self.free_ports)?;
        let plan = Plan {
            args: self,
            claims,
            here,
            with_services,
        };
        plan.addresses()?;
        Ok(plan)
    }

    fn starts(&self, part: &Part) -> bool {
        match self.servers {
            Source::Embedded => part.embedded.is_some(),
            Source::Native => true,
            Source::Outside => part.is_ours_outside && !self.flags.replace(part),
        }
    }

    fn wanted_ports(&self, here: &[&'static Part], with_services: bool) -> Vec<&'static Port> {
        let services = SERVICES.iter().filter(|_| with_services);
        let services = services.map(|service| &service.port);
        let claims = |part: &&&Part| self.servers == Source::Native || !part.chooses_port();
        let parts = here.iter().filter(claims);
        services.chain(parts.flat_map(|part| part.ports)).collect()
    }
}

/// Connects, or says why not. What is behind a proxy, that alone reaches.
async fn connect(address: &str) -> anyhow::Result<()> {
    // OTLP over gRPC may do without a scheme.
    let with_scheme = if address.contains("://") {
        address.to_owned()
    } else {
        format!("https://{address}")
    };
    let url = Url::parse(&with_scheme).ok();
    let url = url.filter(|url| url.scheme().starts_with("http"));
    let url =
        url.with_context(|| format!("`{address}` does not begin with http:// or https://"))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or_default();
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().to_uppercase());
    let proxies = names.filter(|name| name.ends_with("_PROXY") && name != "NO_PROXY");
    let is_here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if is_here || proxies.count() == 0 {
        let connected = timeout(ANSWER_LIMIT, TcpStream::connect((host, port))).await;
        let connected = connected
            .map_err(anyhow::Error::from)
            .and_then(|it| Ok(it?));
        connected.with_context(|| format!("connecting to {host}:{port}"))?;
    }
    Ok(())
}
