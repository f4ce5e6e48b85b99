//! Variables in files, against the settings of the programs that get them.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::Compose;
use crate::ports;
use crate::repository;
use crate::services::{self, Program, all, services};

/// Each line of an env file that sets something; `#NAME=value` counts, a sentence does not.
pub(crate) fn lines(file: &str) -> BTreeMap<String, String> {
    let text = repository::read(file);
    let pairs = text
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='));
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    pairs
        .filter(|(name, _)| name.chars().all(is_name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Whether a setting is about a Kafka that asks who one is, which that of compose does not.
fn is_for_another_kafka(variable: &str) -> bool {
    ["KAFKA_SASL_", "KAFKA_SSL_"]
        .iter()
        .any(|start| variable.starts_with(start))
}

fn find<'a>(programs: &'a [Program], package: &str) -> &'a Program {
    let found = programs.iter().find(|program| program.package == package);
    found.unwrap_or_else(|| panic!("{package} is none of our programs"))
}

#[test]
fn compose_sets_nothing_that_a_program_does_not_know() {
    let (compose, programs) = (Compose::read(), all());
    for (package, service) in compose.built() {
        let program = find(&programs, package);
        for variable in service.environment.keys() {
            assert!(
                program.knows(variable),
                "{package} does not know {variable}"
            );
        }
    }
}

#[test]
fn compose_passes_on_everything_that_can_be_set() {
    let (compose, programs) = (Compose::read(), all());
    for (package, service) in compose.built() {
        let variables = find(&programs, package).variables();
        for variable in variables.into_iter().filter(|it| !is_for_another_kafka(it)) {
            assert!(
                service.environment.contains_key(variable),
                "{package} is not passed {variable}"
            );
        }
    }
}

#[test]
fn every_program_starts_with_what_compose_sets() {
    let (compose, programs) = (Compose::read(), all());
    assert_eq!(compose.built().count(), programs.len());
    for (package, service) in compose.built() {
        let set = service.environment.iter();
        let set = set
            .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
            .collect();
        assert_eq!(find(&programs, package).refusal(&set), None, "{package}");
    }
}

#[test]
fn compose_tells_every_program_where_everything_is() {
    let (compose, programs) = (Compose::read(), all());
    let is_address = |name: &&str| {
        ["_URL", "_ADDR", "_HOST", "_BROKERS", "_URL_SQS"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    for (package, service) in compose.built() {
        // A default is an address of the host, where a container finds nothing.
        for variable in find(&programs, package)
            .variables()
            .into_iter()
            .filter(|it| is_address(it) && !is_for_another_kafka(it))
        {
            let value = service.environment.get(variable).and_then(Option::as_ref);
            assert!(value.is_some(), "{package} is not told {variable}");
        }
    }
}

#[test]
fn the_settings_for_services_from_the_editor_are_known_and_enough() {
    let (mut settings, services) = (lines("infra/services.env"), services());
    for variable in settings.keys() {
        let known = services.iter().any(|service| service.knows(variable));
        assert!(known, "no service knows {variable}");
    }
    for value in settings.values_mut() {
        *value = ports::with_defaults(value);
    }
    for service in &services {
        assert_eq!(service.refusal(&settings), None, "{}", service.package);
    }
}

#[test]
fn the_example_has_every_setting_and_no_other() {
    let (example, services) = (lines(".env.example"), services());
    let mut settings: BTreeSet<String> = services::variables_of_the_command().into_keys().collect();
    for service in &services {
        settings.extend(service.variables().into_iter().map(str::to_owned));
    }
    for variable in &settings {
        assert!(example.contains_key(variable), "{variable} is missing");
    }
    for variable in example.keys() {
        let known = settings.contains(variable) || services[0].knows(variable);
        assert!(known, "nobody knows {variable}");
    }
}
