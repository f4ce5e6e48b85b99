//! The ports that compose publishes, and the variables that move them.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::Compose;
use crate::{services, settings};

/// One published port: `127.0.0.1:${GATEWAY_PORT:-8080}:8080`.
struct Published {
    variable: String,
    default: u16,
}

fn parse(port: &str) -> Option<Published> {
    let (variable, rest) = port.strip_prefix("127.0.0.1:${")?.split_once(":-")?;
    let (default, container) = rest.split_once("}:")?;
    container.parse::<u16>().ok()?;
    Some(Published {
        variable: variable.to_owned(),
        default: default.parse().ok()?,
    })
}

/// Every published port's default by its variable.
fn published() -> BTreeMap<String, u16> {
    let compose = Compose::read();
    let mut found = BTreeMap::new();
    for (name, service) in &compose.services {
        for port in &service.ports {
            let Some(Published { variable, default }) = parse(port) else {
                panic!("{name}: {port} is not like 127.0.0.1:${{NAME_PORT:-1}}:1");
            };
            let before = found.insert(variable.clone(), default);
            assert_eq!(before, None, "{variable} moves two ports");
        }
    }
    found
}

/// `text` with the default in place of each `${NAME_PORT}`.
pub(crate) fn with_defaults(text: &str) -> String {
    let replace = |text: String, (variable, default): (&String, &u16)| {
        text.replace(&format!("${{{variable}}}"), &default.to_string())
    };
    published().iter().fold(text.to_owned(), replace)
}

#[test]
fn every_port_is_published_on_the_loopback_and_has_a_variable_of_its_own() {
    let ports = published();
    let numbers: BTreeSet<_> = ports.values().collect();
    assert_eq!(numbers.len(), ports.len(), "{ports:?}");
}

/// Every port of the command by its variable.
fn ports_of_the_command() -> BTreeMap<String, String> {
    let variables = services::variables_of_the_command().into_iter();
    variables
        .filter(|(name, _)| name.ends_with("_PORT"))
        .map(|(name, default)| {
            let default = default.unwrap_or_else(|| panic!("{name} has no default"));
            (name, default)
        })
        .collect()
}

#[test]
fn the_containers_have_the_ports_of_the_command() {
    let ports = ports_of_the_command();
    for (variable, default) in published() {
        assert_eq!(
            ports.get(&variable),
            Some(&default.to_string()),
            "{variable}"
        );
    }
}

#[test]
fn the_example_has_the_ports_of_the_command() {
    let mut example = settings::lines(".env.example");
    example.retain(|name, _| name.ends_with("_PORT"));
    assert_eq!(example, ports_of_the_command());
}
