//! What `up` and `demo` are started with, and what follows from it.

use clap::{Args, ValueEnum};

use crate::install::Cache;
use crate::parts::Part;
use crate::ports::{Claims, Port, Ports};
use crate::service::Service;
use crate::settings::{Outside, Overrides, Servers};

/// Where the servers come from that the services talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// PostgreSQL, librdkafka's mock cluster, and small stand-ins of our own for the rest.
    Embedded,
    /// The real servers as processes on this machine, fetched or built on the first run: Kafka, ElasticMQ, Google's
    /// Pub/Sub emulator, Jaeger and `MailDev`. What this machine cannot provide is named, and a stand-in takes its place.
    Native,
    /// Servers that run elsewhere, for example in containers; only the services are started.
    Outside,
}

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
    servers: Source,
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
    ports: Ports,
    #[command(flatten)]
    overrides: Overrides,
    #[command(flatten)]
    cache: Cache,
    #[command(flatten)]
    outside: Outside,
}

/// What is to be started where.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) ports: Ports,
    pub(super) claims: Claims,
    pub(super) overrides: Overrides,
    pub(super) servers: PlannedServers,
    pub(super) with_services: bool,
}

#[derive(Debug)]
pub(super) enum PlannedServers {
    Embedded,
    Native(Cache),
    Outside(Box<Servers>),
}

impl StackArgs {
    /// The folder of logs and data; the embedded mode has them in the stack's own.
    pub(super) fn data_folder(&self) -> Option<&'static str> {
        match self.servers {
            Source::Embedded => None,
            Source::Native => Some("native"),
            Source::Outside => Some("outside"),
        }
    }

    /// Claims every port that is needed; says what is missing before anything has started.
    pub(super) fn plan(self, with_services: bool) -> anyhow::Result<Plan> {
        let wanted = self.wanted_ports(with_services);
        let ports = if self.free_ports {
            self.ports.free(&wanted)
        } else {
            self.ports
        };
        let (ports, claims) = ports.claim(&wanted)?;
        let servers = match self.servers {
            Source::Embedded => PlannedServers::Embedded,
            Source::Native => PlannedServers::Native(self.cache),
            Source::Outside => {
                let servers = self.outside.servers(&ports, &self.overrides)?;
                PlannedServers::Outside(Box::new(servers))
            }
        };
        Ok(Plan {
            ports,
            claims,
            overrides: self.overrides,
            servers,
            with_services,
        })
    }

    fn wanted_ports(&self, with_services: bool) -> Vec<Port> {
        let services = Service::ALL.iter().filter(|_| with_services);
        let services = services.map(|service| service.port());
        let parts = Part::ALL.into_iter().filter(|part| match self.servers {
            // The mock cluster picks its own.
            Source::Embedded => *part != Part::Kafka,
            Source::Native => true,
            Source::Outside => *part == Part::Embeddings && !self.overrides.has_embeddings(),
        });
        let parts = parts.flat_map(|part| part.ports().iter().copied());
        services.chain(parts).collect()
    }
}
