//! The system under test: the servers of a stack, a proxy before each of them, and the services as our own children.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use stack::{Options, Servers, Stack};

use crate::part::{Cell, Fault, Part};
use crate::processes::pid_of;
use crate::proxy::Proxy;
use crate::services::{Recipe, Services};

/// The settings that tell a service where a server is, for each that may have a proxy before it.
const ADDRESSES: [(Part, &str); 6] = [
    (Part::Postgres, "DATABASE_URL"),
    (Part::Sqs, "AWS_ENDPOINT_URL_SQS"),
    (Part::Pubsub, "PUBSUB_EMULATOR_HOST"),
    (Part::Smtp, "SMTP_URL"),
    (Part::Embeddings, "OPENAI_BASE_URL"),
    (Part::Traces, "OTEL_EXPORTER_OTLP_ENDPOINT"),
];

/// What of our own surroundings a service must not inherit.
const NOT_INHERITED: [&str; 3] = [
    "FAULT_DROP_CONTEXT",
    "FAULT_INVENTORY_DELAY_MS",
    "MESSAGING_TRACE_RELATION",
];

const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) servers: Servers,
    pub(crate) services: Services,
    pub(crate) stack: Stack,
    proxies: HashMap<Part, Proxy>,
    http: reqwest::Client,
}

impl Site {
    /// Starts the servers, calls `before`, and then starts the services; `extra` are settings of theirs, on top of what the
    /// stack gives them.
    pub(crate) async fn start(
        servers: Servers,
        extra: &[(String, String)],
        logs: Option<PathBuf>,
        before: impl AsyncFnOnce(&Stack) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        ensure!(
            servers != Servers::Containers,
            "containers are not disturbed: STACK is embedded or native"
        );
        let stack = Stack::start(Options {
            servers,
            ..Options::default()
        });
        let stack = stack.await?;
        before(&stack).await?;
        let mut proxies = HashMap::new();
        let logs = logs.unwrap_or_else(|| stack.folder().to_owned());
        std::fs::create_dir_all(&logs)?;
        let addresses = free_addresses()?;
        let mut recipes = HashMap::new();
        for service in Part::SERVICES {
            let mut settings = stack.settings_of(service.name())?;
            send_through_proxies(&mut settings, &mut proxies).await?;
            listen_and_call(&mut settings, service, &addresses);
            settings.extend(extra.iter().cloned());
            let recipe = Recipe {
                program: stack.program(service.name()),
                settings,
                not_inherited: &NOT_INHERITED,
                log: logs.join(format!("chaos-{}.log", service.name())),
            };
            recipes.insert(service, recipe);
        }
        Ok(Self {
            servers,
            services: Services::start(recipes)?,
            stack,
            proxies,
            http: reqwest::Client::builder()
                .timeout(READY_TIMEOUT)
                .no_proxy()
                .build()?,
        })
    }

    pub(crate) fn proxy(&self, part: Part) -> anyhow::Result<&Proxy> {
        let proxy = self.proxies.get(&part);
        proxy.with_context(|| format!("nothing stands before {}", part.name()))
    }

    /// The process of a server, if it is not inside the command.
    pub(crate) fn pid(&self, part: Part) -> anyhow::Result<Option<u32>> {
        pid_of(self.stack.command(), stack_name(part))
    }

    /// Why this cannot be done to what runs here.
    pub(crate) fn impossible(&self, cell: Cell) -> anyhow::Result<Option<&'static str>> {
        let stand_in = self.is_stand_in(cell.part)?;
        Ok(match (cell.fault, cell.part) {
            (Fault::Kill, Part::Kafka) if stand_in => {
                Some("the mock cluster keeps all in memory, and its port")
            }
            (Fault::Kill, _) if stand_in => Some("it runs inside the command"),
            (Fault::Forget, _) if !stand_in => Some("it forgets when it is killed"),
            _ => None,
        })
    }

    /// Whether a cell leaves something behind that the next one should not meet.
    ///
    /// Google's emulator never forgets a stream whose process or connection has ended: for ever it hands its share of all
    /// messages to it, which come again when their lease is over, perhaps to it again.
    pub(crate) fn is_spoilt_by(&self, cell: Cell) -> anyhow::Result<bool> {
        let ends_a_stream = match cell.part {
            Part::Orders => cell.fault != Fault::Freeze,
            Part::Pubsub => cell.fault == Fault::Cut,
            _ => false,
        };
        Ok(ends_a_stream && !self.is_stand_in(Part::Pubsub)?)
    }

    /// Whether it is a server of our own.
    fn is_stand_in(&self, part: Part) -> anyhow::Result<bool> {
        let embedded = self.servers == Servers::Embedded;
        Ok(match part {
            part if part.is_service() => false,
            Part::Postgres => false,
            Part::Embeddings => true,
            part => embedded || self.stack.stand_in(stack_name(part))?.is_some(),
        })
    }

    /// The services that do not say that they are ready.
    pub(crate) async fn not_ready(&self) -> anyhow::Result<Vec<&'static str>> {
        let mut not_ready = Vec::new();
        for service in Part::SERVICES {
            let url = format!("{}/readyz", self.services.url(service)?);
            let answer = self.http.get(url).send().await;
            if !answer.is_ok_and(|answer| answer.status().is_success()) {
                not_ready.push(service.name());
            }
        }
        Ok(not_ready)
    }
}

/// What the stack calls a server.
fn stack_name(part: Part) -> &'static str {
    match part {
        Part::Smtp => "mail",
        other => other.name(),
    }
}

/// The stack gives no ports to services that it does not start, so that they are the usual ones.
fn free_addresses() -> anyhow::Result<HashMap<Part, SocketAddr>> {
    let listeners = Part::SERVICES.map(|service| (service, orderflow::listen_on_free_port()));
    // All at once, so that no two are the same.
    let addresses = listeners.iter().map(|(service, listener)| {
        let listener = listener
            .as_ref()
            .map_err(|error| anyhow!("a port: {error}"))?;
        Ok((*service, listener.local_addr()?))
    });
    addresses.collect()
}

fn listen_and_call(
    settings: &mut HashMap<String, String>,
    service: Part,
    addresses: &HashMap<Part, SocketAddr>,
) {
    settings.insert("LISTEN_ADDR".to_owned(), addresses[&service].to_string());
    for (called, setting) in [
        (Part::Orders, "ORDERS_URL"),
        (Part::Inventory, "INVENTORY_URL"),
    ] {
        if let Some(url) = settings.get_mut(setting) {
            *url = format!("http://{}", addresses[&called]);
        }
    }
}

/// Puts the address of a proxy in the place of each server's; services that talk to the same server share it.
async fn send_through_proxies(
    settings: &mut HashMap<String, String>,
    proxies: &mut HashMap<Part, Proxy>,
) -> anyhow::Result<()> {
    for (part, setting) in ADDRESSES {
        let Some(address) = settings.get_mut(setting) else {
            continue;
        };
        let server = host_and_port(address).to_owned();
        let proxy = match proxies.entry(part) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Proxy::before(server.clone()).await?),
        };
        *address = address.replace(&server, &proxy.address.to_string());
    }
    Ok(())
}

/// Of an address with or without scheme, user and path.
fn host_and_port(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split_once('/').map_or(rest, |(first, _)| first);
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_found_in_every_form_of_address() {
        for address in [
            "postgres://postgres@127.0.0.1:1/orders",
            "http://127.0.0.1:1",
            "http://127.0.0.1:1/v1",
            "127.0.0.1:1",
        ] {
            assert_eq!(host_and_port(address), "127.0.0.1:1");
        }
    }
}
