//! The ports that compose publishes, and the variables that move them.

use std::collections::BTreeMap;

use crate::compose::Compose;
use crate::repository;

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
    assert!(
        ports
            .values()
            .collect::<std::collections::BTreeSet<_>>()
            .len()
            == ports.len(),
        "{ports:?}"
    );
}

#[test]
fn the_containers_have_the_ports_of_the_embedded_mode() {
    let example = repository::read(".env.example");
    for (variable, default) in published() {
        let line = format!("#{variable}={default}");
        assert!(
            example.lines().any(|found| found == line),
            "{line} is not in .env.example"
        );
    }
}
