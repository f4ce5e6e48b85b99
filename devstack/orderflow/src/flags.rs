//! What is set on the command line and in our environment, and the addresses that come of it: the only way from a flag
//! to what a service is told.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use url::Url;

use crate::parts::part::{Flag, Part, Variable};
use crate::parts::postgres::DATABASES;
use crate::ports::{Port, Ports};
use crate::service::SERVICES;
use crate::settings::{Addresses, Setting};
use crate::table::{
    self, OPENAI_URL, OTLP_ENDPOINT, OTLP_PROTOCOL, PARTS, POSTGRES_URL, SPAN_DELAY,
};

/// The flags of the table: a port each, and values of variables.
///
/// Everything else that a service reads (`OTEL_*`, `RUST_LOG`, `MESSAGING_*`, `FAULT_*` …) it inherits from us, as far as
/// [`crate::shell`] lets it through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    pub(crate) ports: Ports,
    given: BTreeMap<&'static str, String>,
}

fn with_flags() -> impl Iterator<Item = (&'static Variable, Flag)> {
    let variables = PARTS.iter().flat_map(|part| part.variables);
    variables.filter_map(|variable| Some((variable, variable.flag?)))
}

fn arg((variable, flag): (&'static Variable, Flag)) -> Arg {
    let (heading, usual) = if flag.is_override {
        ("Servers of your own", None)
    } else {
        let usual = variable.is_fixed().then_some(variable.here);
        ("With --servers outside", usual)
    };
    Arg::new(flag.long)
        .long(flag.long)
        .env(variable.name)
        .value_name(flag.placeholder)
        .value_parser(match variable.name {
            SPAN_DELAY => ValueParser::new(|text: &str| text.parse().map(|ms: u32| ms.to_string())),
            OTLP_PROTOCOL => {
                PossibleValuesParser::new(["grpc", "http/protobuf", "http/json"]).into()
            }
            _ => ValueParser::string(),
        })
        .ignore_case(variable.name == OTLP_PROTOCOL)
        .hide_env_values(flag.is_secret)
        .help_heading(heading)
        .help((!flag.help.is_empty()).then_some(flag.help))
        .default_value(usual)
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let command = command.args(table::ports().map(Port::arg));
        command.args(with_flags().map(arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        for port in table::ports() {
            let number = matches.get_one(port.flag);
            let number = *number.expect("every port has a default");
            flags.ports.set(port, number);
        }
        for (variable, flag) in with_flags() {
            let value: Option<&String> = matches.get_one(flag.long);
            // Paths are added to addresses.
            let is_base = variable.name.ends_with("_URL") && !flag.is_override;
            let value = value.map(|value| value.trim_end_matches(|end| is_base && end == '/'));
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                flags.given.insert(variable.name, value.to_owned());
            }
        }
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Flags {
    /// Whether what the user says takes the place of a variable's value here, even if that is nothing.
    fn override_variable(&self, name: &str) -> bool {
        let by = match name {
            OTLP_PROTOCOL => OTLP_PROTOCOL,
            // All telemetry goes there, whatever has an endpoint of its own here.
            name if name.starts_with("OTEL_EXPORTER_OTLP_") => {
                return self.elsewhere(Some(&self.ports)).is_some();
            }
            // A key and a model belong to the server that they are for.
            name if name.starts_with("OPENAI_") => OPENAI_URL,
            SPAN_DELAY => SPAN_DELAY,
            _ => return false,
        };
        self.given.contains_key(by)
    }

    /// What the user says of the variable `name`.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// Where telemetry goes that the user wants somewhere else than in the store at `ports`.
    pub(crate) fn elsewhere(&self, ports: Option<&Ports>) -> Option<&str> {
        let store = |port| [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        let ports = ports.into_iter().flat_map(|ports| {
            let ports = ["{OTLP_GRPC_PORT}", "{OTLP_HTTP_PORT}"].map(|port| ports.fill(port));
            ports.into_iter().flat_map(store)
        });
        let stores: Vec<_> = ports.collect();
        let is_ours = |endpoint: &&str| {
            let address = endpoint.trim_end_matches('/').rsplit("://").next();
            stores.iter().any(|store| address == Some(store))
        };
        self.given(OTLP_ENDPOINT)
            .filter(|endpoint| !is_ours(endpoint))
    }

    /// Whether the user names another server than the one that would be started here.
    pub(crate) fn replace(&self, part: &Part) -> bool {
        let address = part.variables.first();
        address.is_some_and(|variable| self.override_variable(variable.name))
    }

    /// The door of the stack's own trace store that takes the protocol of the user.
    fn store(&self) -> String {
        let is_http = self
            .given(OTLP_PROTOCOL)
            .is_some_and(|it| it.to_ascii_lowercase().starts_with("http"));
        let door = if is_http { "OTLP_HTTP" } else { "OTLP_GRPC" };
        self.ports.fill(&format!("http://{{{door}}}"))
    }

    /// What services and clients are told in a stack that has the parts `here`, and all others, if there are any, outside.
    /// Fails with one line that names every setting that is missing.
    pub(crate) fn addresses(
        &self,
        here: &[&'static Part],
        is_outside: bool,
    ) -> anyhow::Result<Addresses> {
        let urls = SERVICES.iter().filter_map(|service| {
            let url = format!("http://{}", self.ports.fill(&service.host()));
            Some(Setting::new(service.url?, url))
        });
        let mut settings: Vec<_> = urls.collect();
        let mut missing = Vec::new();
        for part in &PARTS {
            let is_here = here.iter().any(|here| here.name == part.name);
            for variable in part.variables {
                let name = variable.name;
                let given = self.given.get(name).cloned();
                let fixed = || variable.is_fixed().then(|| variable.here.to_owned());
                let value = match (self.override_variable(name), is_here) {
                    (true, _) => given,
                    (false, true) if name == OTLP_ENDPOINT => Some(self.store()),
                    (false, true) => Some(self.ports.fill(variable.here)),
                    (false, false) if is_outside => given.or_else(fixed),
                    (false, false) => None,
                };
                let is_needed = variable.flag.is_some_and(|flag| !flag.is_override);
                match value.filter(|value| !value.is_empty()) {
                    Some(value) => settings.extend(told(name, &value)?),
                    None if is_outside && (is_needed || name == OTLP_ENDPOINT) => {
                        missing.push(name);
                    }
                    None => {}
                }
            }
        }
        ensure!(
            missing.is_empty(),
            "--servers outside starts no servers and must know where they are: set {}",
            missing.join(", ")
        );
        Ok(Addresses {
            ports: self.ports.clone(),
            settings,
            stand_ins: BTreeMap::new(),
        })
    }
}

/// Of a variable, what clients are told: a PostgreSQL server has a database for each of its users.
fn told(name: &str, value: &str) -> anyhow::Result<Vec<Setting>> {
    if name != POSTGRES_URL {
        return Ok(vec![Setting::new(name, value)]);
    }
    let mut url = Url::parse(value).context("POSTGRES_URL is no address")?;
    let is_ours = matches!(url.scheme(), "postgres" | "postgresql") && url.has_host();
    ensure!(is_ours, "POSTGRES_URL must be postgres://user@host:port");
    let databases = DATABASES.map(|database| {
        url.set_path(database);
        Setting::new(
            format!("{}_DATABASE_URL", database.to_uppercase()),
            url.as_str(),
        )
    });
    Ok(databases.into())
}

#[cfg(test)]
pub(crate) mod tests;
