//! How the services of a stack are doing, for whoever has to explain why an order does not go on.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use reqwest::Client;
use serde::Deserialize;

use crate::control::Run;
use crate::register::{PartStatus, State};
use crate::service::{SERVICES, Service};
use crate::settings::Addresses;

/// One question; a service answers within a second what it has found out by then.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

const NOTABLE: Style = AnsiColor::Yellow.on_default();

/// What a service answers to `GET /readyz` now, by what a person would do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    /// It works, and what needs these waits.
    Without(Vec<String>),
    NotReady(String),
    /// Nothing came back.
    Silent,
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Without(away) => write!(f, "ready, but {} is away", away.join(", ")),
            Self::NotReady(detail) => f.write_str(detail),
            Self::Silent => f.write_str("does not answer"),
        }
    }
}

impl Readiness {
    /// Asks the service at `url` once.
    async fn of(client: &Client, url: &str) -> Self {
        let Ok(response) = client.get(format!("{url}/readyz")).send().await else {
            return Self::Silent;
        };
        let status = response.status();
        let Ok(body) = response.text().await else {
            return Self::Silent;
        };
        Self::read(status.is_success(), &status.to_string(), &body)
    }

    /// A body of another form than ours is taken by its status alone.
    fn read(success: bool, status: &str, body: &str) -> Self {
        #[derive(Default, Deserialize)]
        struct Body {
            #[serde(default)]
            degraded: Vec<String>,
            detail: Option<String>,
        }
        let Body { degraded, detail } = serde_json::from_str(body).unwrap_or_default();
        match (success, degraded.is_empty()) {
            (true, true) => Self::Ready,
            (true, false) => Self::Without(degraded),
            (false, _) => Self::NotReady(detail.unwrap_or_else(|| format!("answers {status}"))),
        }
    }
}

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
        let is_it = addresses.value("GATEWAY_URL") == gateway_url;
        is_it.then(|| Self::new(run, addresses))?
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

    /// What keeps the service `name` from its work, and what helps; nothing when it is ready.
    pub(crate) async fn trouble(&self, name: &str) -> Option<String> {
        let known = self.absence(name);
        if known.is_some() {
            return known;
        }
        match self.readiness(Service::find(name)?).await {
            Readiness::Ready => None,
            answer => Some(format!("`{name}`: {answer}")),
        }
    }

    /// Every service that is stopped or paused or has died, with what helps.
    pub(crate) fn absent(&self) -> Vec<String> {
        let services = SERVICES.iter();
        services
            .filter_map(|service| self.absence(service.name))
            .collect()
    }

    /// That the service `name` is known not to run, or to stand still, and what helps.
    pub(crate) fn absence(&self, name: &str) -> Option<String> {
        trouble(self.parts.iter().find(|part| part.name == name)?)
    }

    pub(crate) async fn readiness(&self, service: &Service) -> Readiness {
        Readiness::of(&self.client, &self.addresses.service_url(service)).await
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

    #[test]
    fn says_in_words_what_a_service_answers() {
        let ready = r#"{"status":"ready"}"#;
        let degraded = r#"{"status":"degraded","degraded":["smtp"]}"#;
        let not_ready = r#"{"title":"Service Unavailable","status":503,"detail":"not ready: database; degraded: kafka"}"#;
        for (success, status, body, words) in [
            (true, "200 OK", ready, "ready"),
            (true, "200 OK", "ok", "ready"),
            (true, "200 OK", degraded, "ready, but smtp is away"),
            (
                false,
                "503",
                not_ready,
                "not ready: database; degraded: kafka",
            ),
            (
                false,
                "502 Bad Gateway",
                "<html>",
                "answers 502 Bad Gateway",
            ),
        ] {
            assert_eq!(Readiness::read(success, status, body).to_string(), words);
        }
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_does_not_answer() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let client = Client::builder().build().unwrap();
        assert_eq!(Readiness::of(&client, &url).await, Readiness::Silent);
    }
}
