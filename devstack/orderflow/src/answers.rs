//! How the services of a stack are doing, for whoever has to explain why an order does not go on.

use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use reqwest::Client;

use crate::control::Run;
use crate::readyz::{self, Readiness};
use crate::register::{PartStatus, State};
use crate::service::Service;
use crate::settings::Addresses;

/// One question; a service answers within a second what it has found out by then.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

const NOTABLE: Style = AnsiColor::Yellow.on_default();

/// The stack of a folder, asked whenever something is to be explained.
#[derive(Debug)]
pub(crate) struct Services {
    client: Client,
    parts: Vec<PartStatus>,
    addresses: Addresses,
    /// The faults that are switched on, each as `NAME=value`.
    pub(crate) faults: Vec<String>,
}

impl Services {
    /// The stack in `dir`, if it is the one that `gateway_url` belongs to; of any other nothing is known.
    pub(crate) fn of(dir: &Path, gateway_url: &str) -> Option<Self> {
        let (run, addresses) = Run::ready(dir).ok()??;
        if addresses.gateway_url() != gateway_url {
            return None;
        }
        Self::new(run, addresses)
    }

    /// The stack that runs as `run`.
    pub(crate) fn new(run: Run, addresses: Addresses) -> Option<Self> {
        Some(Self {
            client: Client::builder().timeout(ANSWER_LIMIT).build().ok()?,
            parts: run.parts,
            addresses,
            faults: run.faults,
        })
    }

    /// What keeps `service` from its work, and what helps; nothing when it is ready.
    pub(crate) async fn trouble(&self, service: Service) -> Option<String> {
        let name = service.name();
        if let Some(trouble) = self.part(name).and_then(trouble) {
            return Some(trouble);
        }
        match self.readiness(service).await {
            Readiness::Ready => None,
            answer => Some(format!("`{name}`: {answer}")),
        }
    }

    /// Every service that is stopped or paused or has died, with what helps.
    pub(crate) fn absent(&self) -> Vec<String> {
        let parts = Service::ALL
            .iter()
            .filter_map(|service| self.part(service.name()));
        parts.filter_map(trouble).collect()
    }

    /// Whether it is known that `service` does not run, or stands still.
    pub(crate) fn is_absent(&self, service: Service) -> bool {
        self.part(service.name()).and_then(trouble).is_some()
    }

    pub(crate) async fn readiness(&self, service: Service) -> Readiness {
        readyz::ask(&self.client, &self.addresses.service_url(service)).await
    }

    fn part(&self, name: &str) -> Option<&PartStatus> {
        self.parts.iter().find(|part| part.name == name)
    }
}

fn trouble(part: &PartStatus) -> Option<String> {
    let name = &part.name;
    let (state, helps) = match part.state {
        State::Running | State::Starting => return None,
        State::Paused => ("paused", Some("resume")),
        State::Stopping => ("stopping", None),
        State::Stopped => ("stopped", Some("start")),
        State::Waiting => ("dead, and is started again in a moment", None),
        State::GivenUp => ("dead", Some("start")),
    };
    let helps = helps.map(|verb| format!(" (`orderflow {verb} {name}`)"));
    Some(format!("`{name}` is {state}{}", helps.unwrap_or_default()))
}

/// That a fault is switched on, for whoever looks at what comes of it.
pub(crate) fn fault_notice(fault: &str) -> String {
    format!(
        "{NOTABLE}a fault is switched on{NOTABLE:#}: {fault} (docs/faults.md says what it does)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_does_not_run_is_named_with_what_helps() {
        let part = |state| PartStatus {
            name: "classifier".to_owned(),
            state,
            pid: None,
            restarts: 0,
            last_end: None,
        };
        assert_eq!(trouble(&part(State::Running)), None);
        assert_eq!(
            trouble(&part(State::Paused)).unwrap(),
            "`classifier` is paused (`orderflow resume classifier`)"
        );
        assert_eq!(
            trouble(&part(State::GivenUp)).unwrap(),
            "`classifier` is dead (`orderflow start classifier`)"
        );
    }
}
