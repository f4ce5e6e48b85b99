//! What a shell has left in our environment: what reaches the stack, what does not, and one line that says so.
//!
//! A variable that was meant for something else must not break the demo, and one that was set on purpose must work.
//! So `up` and `demo` start again as the same process, in an environment from which [`ROWS`] have taken what
//! belongs to other things; whatever we start inherits that.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::Context as _;
use clap::error::ContextKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, ValueEnum as _};

use crate::cli::Cli;
use crate::process::own_program;
use crate::screen::{Screen, Show};
use crate::stack::Source;
use crate::table::{self, OPENAI_URL, OTLP_ENDPOINT};

/// Set once the environment is as it should be.
const CLEAN: &str = "ORDERFLOW_SHELL_IS_LEFT";

/// Nothing on this machine is behind a proxy.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// The SDK would go on to read settings from the files of a person's own account.
const NO_AWS_ACCOUNT: [(&str, &str); 3] = [
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// Whether a variable with this value is passed on.
type Rule = fn(&Starts, &str) -> bool;

/// What is decided by its name, with a `*` for whatever else the name has; the first row counts.
#[rustfmt::skip]
static ROWS: [(Rule, &str); 11] = [
    // Addresses that the stack tells its services, one name for all of them, and options of what runs in it.
    (|_, _| false, "LISTEN_ADDR GATEWAY_URL ORDERS_URL INVENTORY_URL LOGS_URL *DATABASE_URL OTEL_SERVICE_NAME"),
    (|_, _| false, "JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS CLASSPATH NODE_OPTIONS GOFLAGS GOOS GOARCH"),
    (|_, _| false, "TOKIO_* BASH_ENV ENV"),
    (|_, value| !value.contains("service.name="), "OTEL_RESOURCE_ATTRIBUTES"),
    (|_, _| true, "OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_PROTOCOL OTEL_LOGS_EXPORTER DATABASE_MAX_CONNECTIONS"),
    // What belongs to an address goes with it.
    (|starts, _| starts.has_endpoint && !starts.is_demo,
        "OTEL_EXPORTER_OTLP_TRACES_* OTEL_EXPORTER_OTLP_LOGS_* OTEL_EXPORTER_OTLP_METRICS_*"),
    (|starts, _| starts.has_endpoint, "OTEL_EXPORTER_OTLP_*"),
    (|starts, _| starts.has_embeddings, "OPENAI_*"),
    (|starts, _| !starts.is_demo, "OTEL_*"),
    (|starts, _| starts.servers == Source::Outside,
        "AWS_* GOOGLE_* CLOUDSDK_* PUBSUB_* PG* POSTGRES_* DATABASE_* KAFKA_* SMTP_* JAEGER_URL MAIL_URL"),
    (|_, _| true, "RUST_LOG MESSAGING_* FAULT_* GATEWAY_* ORDERS_* STARTUP_TIMEOUT_* \
        HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy"),
];

/// Passed on only if there is such a file or folder.
const PATHS: [&str; 4] = ["TMPDIR", "JAVA_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR"];

type Environment = BTreeMap<OsString, OsString>;

/// What becomes of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is passed on, and the line names it.
    PassedOn,
    /// It is left out, and the line names it.
    Ignored,
    /// It is passed on without a word: it changes nothing, or shows in what is said anyway.
    Untold,
}

/// The shell that we were started from, and for what.
#[derive(Debug)]
struct Shell {
    environment: Environment,
    /// What the line is said for: other commands start nothing that could inherit what is left.
    starts: Option<Starts>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Starts {
    /// It is there to show a trace; what would leave none helps nobody.
    is_demo: bool,
    /// If they are somewhere else, so is what leads to them.
    servers: Source,
    /// Where telemetry goes is said, by a flag or by a variable.
    has_endpoint: bool,
    /// As is whose embeddings are used.
    has_embeddings: bool,
}

/// Starts this program again, as the same process, unless the environment is clean already.
pub fn leave() -> anyhow::Result<()> {
    let shell = Shell {
        environment: env::vars_os().collect(),
        starts: starts(env::args_os(), &env::vars_os().collect()),
    };
    if shell.environment.contains_key(OsStr::new(CLEAN)) {
        return Ok(());
    }
    if let Some(line) = shell.line() {
        let screen = Screen::new(Show::Everything);
        screen.tell(&line);
        screen.flush();
    }
    let mut arguments = env::args_os();
    let mut command = Command::new(own_program()?);
    command.arg0(arguments.next().unwrap_or_default());
    command.args(arguments).env_clear().envs(shell.cleaned());
    Err(command.exec()).context("starting again without what the shell has left")
}

/// What the command line and `environment` ask for, however wrong the rest of it is: at the first variable with a wrong
/// value clap no longer reads the others.
fn starts(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> Option<Starts> {
    let command = Cli::command().ignore_errors(true);
    let matches = command.try_get_matches_from(arguments).ok()?;
    let (name, matches): (&str, &ArgMatches) = matches.subcommand()?;
    let set = |variable: &str| {
        let value = environment.get(OsStr::new(variable))?.to_string_lossy();
        (!value.is_empty()).then_some(value)
    };
    let typed = |flag| matches.value_source(flag) == Some(ValueSource::CommandLine);
    let servers = || Source::from_str(&set("ORDERFLOW_SERVERS")?, true).ok();
    let servers = match matches.try_get_one("servers") {
        Ok(Some(servers)) if typed("servers") => Some(*servers),
        _ => servers(),
    };
    let has = |flag, variable| typed(flag) || set(variable).is_some();
    (name == "up" || name == "demo").then(|| Starts {
        is_demo: name == "demo",
        servers: servers.unwrap_or(Source::Embedded),
        has_endpoint: has("otlp-endpoint", OTLP_ENDPOINT),
        has_embeddings: has("openai-base-url", OPENAI_URL),
    })
}

impl Shell {
    fn fate(&self, name: &str, value: &OsStr) -> Fate {
        let Some(starts) = &self.starts else {
            return Fate::Untold;
        };
        let is_missing =
            PATHS.contains(&name) && !env::split_paths(value).any(|path| path.exists());
        let is_port = table::ports().any(|port| port.variable == name);
        let has_name = |names: &str| {
            names.split(' ').any(
                |known| match (known.strip_prefix('*'), known.strip_suffix('*')) {
                    (Some(end), _) => name.ends_with(end),
                    (_, Some(begin)) => name.starts_with(begin),
                    _ => name == known,
                },
            )
        };
        let row = ROWS.iter().find(|(_, names)| !is_port && has_name(names));
        match row {
            _ if is_missing => Fate::Ignored,
            Some((is_passed_on, _)) if is_passed_on(starts, &value.to_string_lossy()) => {
                Fate::PassedOn
            }
            Some(_) => Fate::Ignored,
            None => Fate::Untold,
        }
    }

    /// The variables that have this fate, of those that are set to something.
    fn with(&self, fate: Fate) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.environment.iter().filter(move |(name, value)| {
            let is_it = |name| self.fate(name, value) == fate;
            !value.is_empty() && name.to_str().map_or(fate == Fate::Untold, is_it)
        })
    }

    /// What is passed on and what is ignored, by name: a value may be a secret.
    fn line(&self) -> Option<String> {
        let told = [("passes on", Fate::PassedOn), ("ignores", Fate::Ignored)];
        let told = told.map(|(verb, fate)| {
            let names = self.with(fate).map(|(name, _)| name.to_string_lossy());
            let names: Vec<_> = names.collect();
            (!names.is_empty()).then(|| format!("{verb} {}", names.join(", ")))
        });
        let told: Vec<_> = told.into_iter().flatten().collect();
        let why = "devstack/orderflow/README.md says why";
        (!told.is_empty())
            .then(|| format!("of this shell, orderflow {} ({why})", told.join("; it ")))
    }

    /// The environment to go on with. A variable that is set to nothing is as good as one that is not set.
    fn cleaned(&self) -> Environment {
        let kept = self.with(Fate::PassedOn).chain(self.with(Fate::Untold));
        let mut cleaned: Environment = kept
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let no_proxy = NO_PROXY
            .iter()
            .filter_map(|name| cleaned.get(OsStr::new(name)));
        let no_proxy = no_proxy.map(|value| value.to_string_lossy().into_owned());
        let no_proxy: Vec<_> = no_proxy.chain(LOOPBACK.map(str::to_owned)).collect();
        let mut set = |name: &str, value: &str| cleaned.insert(name.into(), value.into());
        for name in NO_PROXY {
            set(name, &no_proxy.join(","));
        }
        if self
            .starts
            .is_some_and(|starts| starts.servers != Source::Outside)
        {
            for (name, value) in NO_AWS_ACCOUNT {
                set(name, value);
            }
        }
        set(CLEAN, "1");
        cleaned
    }
}

/// What is wrong with a variable that stands in for a part of the command line; clap names the flag alone.
pub fn refusal(error: &clap::Error) -> Option<String> {
    let context = |kind| error.get(kind).map(ToString::to_string);
    let argument = context(ContextKind::InvalidArg)?;
    let value = context(ContextKind::InvalidValue)?;
    let flag = argument.split(' ').next()?;
    let command = Cli::command();
    let subcommands = command.get_subcommands();
    let subcommands = subcommands.flat_map(clap::Command::get_arguments);
    let mut arguments = command.get_arguments().chain(subcommands);
    let long = flag.trim_start_matches('-');
    let argument = arguments.find(|argument| argument.get_long() == Some(long))?;
    let is_typed = env::args_os().any(|typed| typed.to_string_lossy().starts_with(flag));
    let variable = argument.get_env().filter(|_| !is_typed)?.display();
    let why = error.to_string();
    let why = why.lines().next()?.trim_start_matches("error: ");
    Some(format!(
        "{variable} is set to `{value}` in this shell: {why}"
    ))
}

#[cfg(test)]
mod tests;
