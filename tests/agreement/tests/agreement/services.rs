//! The settings that each program of ours knows, taken from the program itself.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Command, CommandFactory};

/// A program by its package, with its settings.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) package: &'static str,
    command: Command,
}

pub(crate) fn services() -> [Program; 5] {
    [
        program::<classifier::config::Config>("classifier"),
        program::<email::config::Config>("email"),
        program::<gateway::config::Config>("gateway"),
        program::<inventory::config::Config>("inventory"),
        program::<orders::config::Config>("orders"),
    ]
}

pub(crate) fn all() -> Vec<Program> {
    let mut all = Vec::from(services());
    all.push(program::<embeddings::config::Config>("embeddings"));
    all
}

/// The variables of the command `orderflow` and its subcommands, each with its default, if it has one.
pub(crate) fn variables_of_the_command() -> BTreeMap<String, Option<String>> {
    let mut commands = vec![orderflow::Cli::command()];
    let mut found = BTreeMap::new();
    while let Some(command) = commands.pop() {
        let shown = command
            .get_arguments()
            .filter(|argument| !argument.is_hide_set());
        found.extend(shown.filter_map(|argument| {
            let name = argument.get_env()?.to_str()?.to_owned();
            let default = argument.get_default_values().first();
            Some((name, default.map(|text| text.display().to_string())))
        }));
        commands.extend(command.get_subcommands().cloned());
    }
    found
}

fn program<C: CommandFactory>(package: &'static str) -> Program {
    let command = C::command();
    Program { package, command }
}

impl Program {
    /// The variables of its own settings.
    pub(crate) fn variables(&self) -> BTreeSet<&str> {
        let arguments = self.command.get_arguments();
        arguments
            .filter_map(|argument| argument.get_env()?.to_str())
            .collect()
    }

    /// Whether the variable is one of its own, or of telemetry's or of HTTP clients, which every program has.
    pub(crate) fn knows(&self, variable: &str) -> bool {
        let is_proxy = variable.to_lowercase().ends_with("_proxy");
        self.variables().contains(variable) || is_telemetry(variable) || is_proxy
    }

    /// Why it would not start with these variables; those of other programs do not count.
    pub(crate) fn refusal(&self, variables: &BTreeMap<String, String>) -> Option<String> {
        let arguments = self.command.get_arguments().filter_map(|argument| {
            let value = variables.get(argument.get_env()?.to_str()?)?;
            Some(format!("--{}={value}", argument.get_long()?))
        });
        let line = [self.package.to_owned()].into_iter().chain(arguments);
        let parsed = self.command.clone().try_get_matches_from(line);
        parsed.err().map(|error| error.to_string())
    }
}

/// The variables that the help of every service names, and one that belongs to a sampler.
fn is_telemetry(variable: &str) -> bool {
    let words = telemetry::SETTINGS_HELP.split([' ', ',', ';', '\n']);
    let mut named = words.chain(["OTEL_TRACES_SAMPLER_ARG"]);
    named.any(|word| match word.strip_suffix('*') {
        Some(beginning) => beginning.ends_with('_') && variable.starts_with(beginning),
        None => word == variable,
    })
}
