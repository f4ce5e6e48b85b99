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
/// Kafka's mock cluster is absent: it picks its own.
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
const TABLE: [Entry; 14] = [
    entry(Port::Gateway,    "gateway-port",    "GATEWAY_PORT",    "8080",  "the gateway"),
    entry(Port::Orders,     "orders-port",     "ORDERS_PORT",     "8081",  "the orders service"),
    entry(Port::Inventory,  "inventory-port",  "INVENTORY_PORT",  "8082",  "the inventory service"),
    entry(Port::Classifier, "classifier-port", "CLASSIFIER_PORT", "8083",  "the classifier"),
    entry(Port::Email,      "email-port",      "EMAIL_PORT",      "8084",  "the email service"),
    entry(Port::Sqs,        "sqs-port",        "SQS_PORT",        "9324",  "the SQS emulator"),
    entry(Port::PubSub,     "pubsub-port",     "PUBSUB_PORT",     "8085",  "the Pub/Sub emulator"),
    entry(Port::Smtp,       "smtp-port",       "SMTP_PORT",       "1025",  "the mail sink (SMTP)"),
    entry(Port::Mail,       "mail-port",       "MAIL_PORT",       "8025",  "the mail page"),
    entry(Port::Embeddings, "embeddings-port", "EMBEDDINGS_PORT", "8090",  "the embeddings endpoint"),
    entry(Port::OtlpGrpc,   "otlp-grpc-port",  "OTLP_GRPC_PORT",  "4317",  "the trace store (OTLP over gRPC)"),
    entry(Port::OtlpHttp,   "otlp-http-port",  "OTLP_HTTP_PORT",  "4318",  "the trace store (OTLP over HTTP)"),
    entry(Port::Traces,     "traces-port",     "TRACES_PORT",     "16686", "the trace page and query API"),
    entry(Port::Postgres,   "postgres-port",   "POSTGRES_PORT",   "54320", "PostgreSQL"),
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

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = TABLE.iter().find(|entry| entry.port == *self);
        f.write_str(entry.expect("the table has every port").owner)
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

    /// All ports 0: a free one is found for each.
    pub(crate) fn free(mut self) -> Self {
        self.0.values_mut().for_each(|number| *number = 0);
        self
    }

    /// Binds every port at once, so that a port in use is known before anything has started.
    /// Answers with the numbers really bound; fails with one line per port that is taken.
    pub(crate) fn claim(mut self) -> anyhow::Result<(Self, Claims)> {
        let mut claims = Claims(HashMap::new());
        let mut refusals = Vec::new();
        for Entry { port, setting, .. } in &TABLE {
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

    /// Lets the port go, at the last moment, for a child process that binds it by number.
    pub(crate) fn release(&mut self, port: Port) {
        self.0.remove(&port);
    }
}

/// Where free ports are looked for: below the range from which systems take a port for an outgoing connection, or for
/// whoever asks for port 0. Otherwise one of those might take the port between our letting go of it and a child's bind.
const FREE_PORTS: Range<u16> = 20_000..32_768;

/// Enough to find a free port in that range on a busy machine.
const TRIES: usize = 100;

fn bind(number: &mut u16) -> io::Result<TcpListener> {
    let listener = if *number == 0 {
        bind_free()?
    } else {
        bind_to(*number)?
    };
    listener.set_nonblocking(true)?;
    *number = listener.local_addr()?.port();
    Ok(listener)
}

fn bind_free() -> io::Result<TcpListener> {
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
pub(crate) mod tests {
    use std::collections::HashSet;

    use super::*;

    pub(crate) fn default_ports() -> Ports {
        let matches =
            Ports::augment_args(Command::new("orderflow")).get_matches_from(["orderflow"]);
        Ports::from_arg_matches(&matches).unwrap()
    }

    fn free_ports() -> Ports {
        default_ports().free()
    }

    #[test]
    fn every_default_is_a_port_of_its_own() {
        let numbers: HashSet<u16> = default_ports().0.into_values().collect();
        assert_eq!(numbers.len(), TABLE.len());
    }

    #[test]
    fn claims_a_different_free_port_for_every_listener() {
        let (ports, _claims) = free_ports().claim().unwrap();
        let numbers: HashSet<u16> = ports.0.into_values().collect();
        assert_eq!(numbers.len(), TABLE.len());
        assert!(!numbers.contains(&0));
    }

    #[test]
    fn names_every_taken_port_its_part_its_setting_and_its_holder() {
        let taken = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [first, second] = taken
            .each_ref()
            .map(|listener| listener.local_addr().unwrap().port());
        let mut ports = free_ports();
        ports
            .0
            .extend([(Port::Gateway, first), (Port::Smtp, second)]);

        let message = ports.claim().unwrap_err().to_string();

        let pid = std::process::id();
        for part in [
            format!("port {first} is taken by "),
            format!("(pid {pid}): the gateway needs it; set GATEWAY_PORT to another"),
            format!("port {second} is taken"),
            "set SMTP_PORT to another".to_owned(),
        ] {
            assert!(message.contains(&part), "{part} is not in: {message}");
        }
    }

    #[test]
    fn a_free_port_is_none_that_an_outgoing_connection_could_take() {
        let (ports, _claims) = free_ports().claim().unwrap();
        assert!(
            ports.0.values().all(|number| FREE_PORTS.contains(number)),
            "{ports:?}"
        );
    }

    #[test]
    fn a_released_port_can_be_bound_by_a_child() {
        let (ports, mut claims) = free_ports().claim().unwrap();
        claims.release(Port::Gateway);
        TcpListener::bind((Ipv4Addr::LOCALHOST, ports.of(Port::Gateway))).unwrap();
    }
}
