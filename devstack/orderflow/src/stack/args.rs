//! What `up` and `demo` are started with, and what follows from it.

use clap::{Args, ValueEnum};

use crate::flags::Flags;
use crate::install::Cache;
use crate::parts::part::{Faults, Part};
use crate::ports::{Claims, Port};
use crate::service::SERVICES;
use crate::settings::Addresses;
use crate::table::PARTS;

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
