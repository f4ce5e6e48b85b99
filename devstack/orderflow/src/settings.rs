//! What a stack tells its services and its clients: environment variables, used to start the services and printed by `env`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ports::Ports;
use crate::service::Service;

/// One environment variable. Its `Display` is a line for `eval` and for `.env` files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Setting {
    pub(crate) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=[]".contains(c);
        if !self.value.is_empty() && self.value.chars().all(plain) {
            return write!(f, "{}={}", self.name, self.value);
        }
        write!(f, "{}='{}'", self.name, self.value.replace('\'', r"'\''"))
    }
}

/// Where everything of one stack listens, as its clients want to be told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Addresses {
    pub(crate) ports: Ports,
    /// Every variable that a client of any part may want.
    pub(crate) settings: Vec<Setting>,
    /// By the name of a part: why it is not the real server that was asked for.
    pub(crate) stand_ins: BTreeMap<String, String>,
}

impl Addresses {
    /// The value of one variable; every stack has those that are asked for.
    pub(crate) fn value(&self, name: &str) -> &str {
        let mut settings = self.settings.iter();
        let found = settings.find(|setting| setting.name == name);
        found.map_or("", |setting| &setting.value)
    }

    pub(crate) fn service_url(&self, service: &Service) -> String {
        format!("http://{}", self.ports.fill(&service.host()))
    }

    /// Exactly what `service` is started with, on top of what it inherits.
    pub(crate) fn of_service(&self, service: &Service) -> Vec<Setting> {
        let listen = Setting::new("LISTEN_ADDR", self.ports.fill(&service.host()));
        let told = self.settings.iter().filter_map(|Setting { name, value }| {
            let name = service.reads(name)?;
            Some(Setting::new(name, value))
        });
        [listen].into_iter().chain(told).collect()
    }

    /// Every address that a client of any part may want.
    /// For tests of the real servers, which pass over what is none, `ORDERFLOW_STAND_IN_PUBSUB` and the reason, one line.
    pub(crate) fn shared(&self) -> Vec<Setting> {
        let stand_ins = self.stand_ins.iter().map(|(part, why)| {
            let why = why.lines().next().unwrap_or_default();
            Setting::new(format!("ORDERFLOW_STAND_IN_{}", part.to_uppercase()), why)
        });
        self.settings.iter().cloned().chain(stand_ins).collect()
    }
}

/// What was given; else what the stack that runs says of the variable `name`; else `usual`.
pub(crate) fn known(
    given: Option<String>,
    running: Option<&Addresses>,
    name: &str,
    usual: impl Into<String>,
) -> String {
    let running = running.map(|addresses| addresses.value(name));
    let running = running.filter(|value| !value.is_empty());
    let known = given.or_else(|| running.map(ToOwned::to_owned));
    known.unwrap_or_else(|| usual.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_a_shell_would_read_otherwise_are_quoted() {
        let line = |value| Setting::new("A", value).to_string();
        assert_eq!(line("http://h/?a=1&b=2"), "A='http://h/?a=1&b=2'");
        assert_eq!(line("it's"), r"A='it'\''s'");
        assert_eq!(line(""), "A=''");
    }
}
