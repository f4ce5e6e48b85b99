//! What is set on the command line and in our environment, and the addresses that come of it: the only way from a flag
//! to what a service is told.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use url::Url;

use crate::parts::faults::Faults;
use crate::parts::part::{Part, Variable};
use crate::parts::postgres::DATABASES;
use crate::ports::{Port, Ports};
use crate::service::Service;
use crate::settings::{Addresses, Setting};
use crate::table::{self, OTLP_ENDPOINT, PARTS, POSTGRES_URL, SPAN_DELAY};

/// The flags of the ports.
impl Args for Ports {
    fn augment_args(command: Command) -> Command {
        command.args(table::ports().map(Port::arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Ports {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut ports = Self::default();
        for port in table::ports() {
            let number = matches.get_one(port.flag);
            ports.set(port, *number.expect("every port has a default"));
        }
        Ok(ports)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Settings of our own environment that win over what the stack would tell its services.
/// Everything else that a service reads (`OTEL_*`, `RUST_LOG`, `MESSAGING_*`, `FAULT_*` …) it inherits from us.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Servers of your own")]
pub(crate) struct Overrides {
    /// Send telemetry here instead of to the trace store of the stack.
    #[arg(long, env = OTLP_ENDPOINT, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// Milliseconds that spans wait to leave together [default: 100]; those of a service that is killed go with it.
    #[arg(long = "span-delay", env = SPAN_DELAY, value_name = "MS")]
    otel_bsp_schedule_delay: Option<u32>,
    /// Use this OpenAI-compatible server, for example a local model server, instead of the built-in embeddings.
    #[arg(long, env = "OPENAI_BASE_URL", value_name = "URL")]
    openai_base_url: Option<String>,
    /// The key for it. Without `OPENAI_BASE_URL` no real key leaves this process.
    #[arg(
        long,
        env = "OPENAI_API_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    openai_api_key: Option<String>,
    /// The model to ask it for.
    #[arg(long, env = "OPENAI_EMBEDDINGS_MODEL", value_name = "MODEL")]
    openai_embeddings_model: Option<String>,
    #[command(flatten)]
    pub(crate) faults: Faults,
}

impl Overrides {
    /// Whether what the user says takes the place of a variable's value here, even if that is nothing.
    fn win(&self, name: &str) -> bool {
        let is_given =
            |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
        match name {
            SPAN_DELAY => self.otel_bsp_schedule_delay.is_some(),
            // All telemetry goes there, whatever has an endpoint of its own here.
            name if name.starts_with("OTEL_EXPORTER_OTLP_") => is_given(&self.otlp_endpoint),
            // A key and a model belong to the server that they are for.
            name if name.starts_with("OPENAI_") => is_given(&self.openai_base_url),
            _ => false,
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        match name {
            OTLP_ENDPOINT => self.otlp_endpoint.clone(),
            SPAN_DELAY => self.otel_bsp_schedule_delay.map(|delay| delay.to_string()),
            "OPENAI_BASE_URL" => self.openai_base_url.clone(),
            "OPENAI_API_KEY" => self.openai_api_key.clone(),
            "OPENAI_EMBEDDINGS_MODEL" => self.openai_embeddings_model.clone(),
            _ => None,
        }
    }

    /// Whether the user names another server than the one that would be started here.
    pub(crate) fn replace(&self, part: &Part) -> bool {
        let address = part.variables.first();
        address.is_some_and(|variable| self.win(variable.name))
    }
}

/// Where the servers are with `--servers outside`, by the names of variables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outside(BTreeMap<&'static str, String>);

fn with_flags() -> impl Iterator<Item = &'static Variable> {
    let variables = PARTS.iter().flat_map(|part| part.variables);
    variables.filter(|variable| variable.flag.is_some())
}

fn arg(variable: &'static Variable) -> Option<Arg> {
    let flag = variable.flag?;
    let arg = Arg::new(flag.long)
        .long(flag.long)
        .env(variable.name)
        .value_name(flag.placeholder)
        .hide_env_values(flag.is_secret)
        .help_heading("With --servers outside");
    let arg = if flag.help.is_empty() {
        arg
    } else {
        arg.help(flag.help)
    };
    Some(if variable.is_fixed() {
        arg.default_value(variable.here)
    } else {
        arg
    })
}

impl Args for Outside {
    fn augment_args(command: Command) -> Command {
        command.args(with_flags().filter_map(arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Outside {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let values = with_flags().filter_map(|variable| {
            let value: &String = matches.get_one(variable.flag?.long)?;
            Some((variable.name, value.clone()))
        });
        Ok(Self(
            values.filter(|(_, value)| !value.is_empty()).collect(),
        ))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Outside {
    /// The value of a variable of a part that others run.
    fn of(&self, variable: &Variable) -> Option<String> {
        let usual = || variable.is_fixed().then(|| variable.here.to_owned());
        let given = self.0.get(variable.name).map(|value| {
            // Paths are added to addresses.
            let is_address = variable.name.ends_with("_URL");
            value.trim_end_matches(|end| is_address && end == '/')
        });
        given.map(str::to_owned).or_else(usual)
    }
}

/// What services and clients are told in a stack that has the parts `here` at `ports`, and all others, if any, `outside`.
/// Fails with one line that names every setting that is missing.
pub(crate) fn addresses(
    ports: &Ports,
    here: &[&'static Part],
    overrides: &Overrides,
    outside: Option<&Outside>,
) -> anyhow::Result<Addresses> {
    let mut settings = urls(ports);
    let mut missing = Vec::new();
    for part in &PARTS {
        let is_here = here.iter().any(|here| here.name == part.name);
        for variable in part.variables {
            let wins = overrides.win(variable.name);
            let value = match outside {
                _ if wins => overrides.value(variable.name),
                _ if is_here => Some(ports.fill(variable.here)),
                Some(outside) => outside.of(variable),
                None => None,
            };
            let is_needed = variable.flag.is_some() || variable.name == OTLP_ENDPOINT;
            match value {
                Some(value) => settings.extend(told(variable.name, value)?),
                None if is_needed && outside.is_some() => missing.push(variable.name),
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
        ports: ports.clone(),
        settings,
        stand_ins: BTreeMap::new(),
    })
}

/// The addresses of the services.
fn urls(ports: &Ports) -> Vec<Setting> {
    let urls = Service::ALL.into_iter().filter_map(|service| {
        let url = format!("http://{}", ports.fill(&service.host()));
        Some(Setting::new(service.url_variable()?, url))
    });
    urls.collect()
}

/// Of a variable, what clients are told: a PostgreSQL server has a database for each of its users.
fn told(name: &str, value: String) -> anyhow::Result<Vec<Setting>> {
    if name != POSTGRES_URL {
        return Ok(vec![Setting::new(name, value)]);
    }
    let mut url = Url::parse(&value).context("POSTGRES_URL is no address")?;
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
