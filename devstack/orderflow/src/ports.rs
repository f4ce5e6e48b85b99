//! The ports of the stack: who listens where, which setting moves it, and the claim on all of them before anything starts.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::iter;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use anyhow::{Context as _, bail};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};
use serde::{Deserialize, Serialize};

/// Everything that listens on a port that we choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Port {
    Gateway,
    Orders,
    Inventory,
    Classifier,
    Email,
    Sqs,
    PubSub,
    Smtp,
    Mail,
    Embeddings,
    OtlpGrpc,
    OtlpHttp,
    Traces,
    Postgres,
    /// The real one's; the mock cluster picks a port by itself.
    Kafka,
    KafkaController,
}

/// One line of the table of ports.
struct Entry {
    port: Port,
    flag: &'static str,
    setting: &'static str,
    default: &'static str,
    /// Who listens there, in a message and in `--help`.
    owner: &'static str,
}

const fn entry(
    port: Port,
    flag: &'static str,
    setting: &'static str,
    default: &'static str,
    owner: &'static str,
) -> Entry {
    Entry {
        port,
        flag,
        setting,
        default,
        owner,
    }
}

/// The ports of the real servers, except PostgreSQL's: 5432 is often taken.
/// The flags, their `--help`, the check before a start and its messages are all made from this table.
#[rustfmt::skip]
static TABLE: [Entry; 16] = [
    entry(Port::Gateway,    "gateway-port",    "GATEWAY_PORT",    "8080",  "the gateway"),
    entry(Port::Orders,     "orders-port",     "ORDERS_PORT",     "8081",  "the orders service"),
    entry(Port::Inventory,  "inventory-port",  "INVENTORY_PORT",  "8082",  "the inventory service"),
    entry(Port::Classifier, "classifier-port", "CLASSIFIER_PORT", "8083",  "the classifier"),
    entry(Port::Email,      "email-port",      "EMAIL_PORT",      "8084",  "the email service"),
    entry(Port::Sqs,        "sqs-port",        "SQS_PORT",        "9324",  "SQS"),
    entry(Port::PubSub,     "pubsub-port",     "PUBSUB_PORT",     "8085",  "Pub/Sub"),
    entry(Port::Smtp,       "smtp-port",       "SMTP_PORT",       "1025",  "the mail server (SMTP)"),
    entry(Port::Mail,       "mail-port",       "MAIL_PORT",       "8025",  "the mail page"),
    entry(Port::Embeddings, "embeddings-port", "EMBEDDINGS_PORT", "8090",  "the embeddings endpoint"),
    entry(Port::OtlpGrpc,   "otlp-grpc-port",  "OTLP_GRPC_PORT",  "4317",  "the trace store (OTLP over gRPC)"),
    entry(Port::OtlpHttp,   "otlp-http-port",  "OTLP_HTTP_PORT",  "4318",  "the trace store (OTLP over HTTP)"),
    entry(Port::Traces,     "traces-port",     "TRACES_PORT",     "16686", "the trace page and query API"),
    entry(Port::Postgres,   "postgres-port",   "POSTGRES_PORT",   "54320", "PostgreSQL"),
    entry(Port::Kafka,      "kafka-port",      "KAFKA_PORT",      "9092",  "Kafka (--servers native)"),
    entry(Port::KafkaController, "kafka-controller-port", "KAFKA_CONTROLLER_PORT", "9093", "Kafka's controller (--servers native)"),
];

impl Entry {
    fn arg(&self) -> Arg {
        Arg::new(self.flag)
            .long(self.flag)
            .env(self.setting)
            .default_value(self.default)
            .value_name("PORT")
            .value_parser(value_parser!(u16))
            .help(format!("Port of {}; 0 takes a free one", self.owner))
            .help_heading("Ports")
    }
}

impl Port {
    /// The number that it has unless its setting moves it.
    pub(crate) fn usual(self) -> &'static str {
        self.entry().default
    }

    fn entry(self) -> &'static Entry {
        let entry = TABLE.iter().find(|entry| entry.port == self);
        entry.expect("the table has every port")
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().owner)
    }
}

/// A number for every [`Port`], on 127.0.0.1. Port 0 takes a free one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ports(HashMap<Port, u16>);

impl Args for Ports {
    fn augment_args(command: Command) -> Command {
        command.args(TABLE.iter().map(Entry::arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Ports {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let number = |entry: &Entry| {
            *matches
                .get_one(entry.flag)
                .expect("every port has a default")
        };
        Ok(Self(
            TABLE
                .iter()
                .map(|entry| (entry.port, number(entry)))
                .collect(),
        ))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Ports {
    /// The number of one port.
    pub(crate) fn of(&self, port: Port) -> u16 {
        self.0[&port]
    }

    /// The ports that are `wanted` 0: a free one is found for each.
    pub(crate) fn free(mut self, wanted: &[Port]) -> Self {
        self.0.extend(wanted.iter().map(|port| (*port, 0)));
        self
    }

    /// Binds the ports that are `wanted` at once, so that a port in use is known before anything has started.
    /// Answers with the numbers really bound; fails with one line per port that is taken.
    pub(crate) fn claim(mut self, wanted: &[Port]) -> anyhow::Result<(Self, Claims)> {
        let mut claims = Claims(HashMap::new());
        let mut refusals = Vec::new();
        let wanted = TABLE.iter().filter(|entry| wanted.contains(&entry.port));
        for Entry { port, setting, .. } in wanted {
            let number = self
                .0
                .get_mut(port)
                .expect("there is a number for every port");
            match bind(number) {
                Ok(listener) => drop(claims.0.insert(*port, listener)),
                Err(error) => refusals.push(refusal(*port, setting, *number, &error)),
            }
        }
        if !refusals.is_empty() {
            bail!("{}", refusals.join("\n       "));
        }
        Ok((self, claims))
    }
}

/// The bound sockets, each taken out once by the part that it belongs to.
#[derive(Debug)]
pub(crate) struct Claims(HashMap<Port, TcpListener>);

impl Claims {
    /// The bound listener itself, for a server that runs inside this process: nobody can take the port in between.
    pub(crate) fn listener(&mut self, port: Port) -> anyhow::Result<tokio::net::TcpListener> {
        let listener = self
            .0
            .remove(&port)
            .with_context(|| format!("the port of {port} was given away before"))?;
        Ok(tokio::net::TcpListener::from_std(listener)?)
    }

    /// Lets the ports go, at the last moment, for a child process that binds them by number.
    pub(crate) fn release(&mut self, ports: &[Port]) {
        for port in ports {
            self.0.remove(port);
        }
    }
}

/// Where free ports are looked for: below the range from which systems take a port for an outgoing connection, or for
/// whoever asks for port 0. Otherwise one of those might take the port between our letting go of it and a child's bind.
const FREE_PORTS: Range<u16> = 20_000..32_768;

/// Enough to find a free port in that range on a busy machine.
const TRIES: usize = 100;

fn bind(number: &mut u16) -> io::Result<TcpListener> {
    let listener = if *number == 0 {
        listen_on_free_port()?
    } else {
        bind_to(*number)?
    };
    listener.set_nonblocking(true)?;
    *number = listener.local_addr()?.port();
    Ok(listener)
}

/// Listens on a port of 127.0.0.1 that nobody is likely to take between our letting go of it and a child's bind.
pub fn listen_on_free_port() -> io::Result<TcpListener> {
    let candidates = iter::repeat_with(|| fastrand::u16(FREE_PORTS)).take(TRIES);
    // Port 0 is the last resort, for a machine that uses the whole range.
    candidates
        .chain([0])
        .find_map(|number| bind_to(number).ok())
        .ok_or(io::ErrorKind::AddrNotAvailable.into())
}

fn bind_to(number: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, number))
}

fn refusal(port: Port, setting: &str, number: u16, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let holder = holder_of(number);
            format!(
                "port {number} is taken{holder}: {port} needs it; set {setting} to another, or stop what is using it"
            )
        }
        _ => format!("port {number} cannot be used by {port}: {error}; set {setting} to another"),
    }
}

/// ` by nginx (pid 12)`, where the system lets us see it; another user's process stays unnamed.
fn holder_of(number: u16) -> String {
    listeners::get_process_by_port(number, listeners::Protocol::TCP)
        .map(|process| format!(" by {} (pid {})", process.name, process.pid))
        .unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests;
