//! Starting the stack: the servers, by where they come from, and then the services.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{join_all, try_join_all};

use super::Stack;
use super::args::{Plan, Source};
use crate::parts::part::{Begin, Part, Ready, Start};
use crate::parts::{again, native, postgres, services, stand_ins, told};
use crate::ports::{Claims, Ports};
use crate::service::Service;
use crate::settings::Addresses;
use crate::topology;

/// One question to a service; the next is asked soon enough.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// By the name of a part: where its real server is installed.
type Installed = BTreeMap<&'static str, PathBuf>;

impl Stack {
    pub(super) async fn start(&mut self, mut plan: Plan) -> anyhow::Result<Addresses> {
        let (installed, refused) = match plan.source {
            Source::Native => self.install(&plan).await?,
            Source::Embedded | Source::Outside => Default::default(),
        };
        let is_there = |part: &&Part| part.embedded.is_some() || installed.contains_key(part.name);
        plan.here.retain(is_there);
        self.start_parts(&mut plan, &installed).await?;
        let mut addresses = plan.addresses()?;
        addresses.stand_ins = refused;
        if plan.source == Source::Outside {
            reach_outside(&addresses).await?;
        }
        if plan.with_services {
            self.start_services(&addresses, plan.claims).await?;
        }
        // A stack is ready once.
        let _ = self.context.addresses.set(addresses.clone());
        Ok(addresses)
    }

    /// The real servers that are there now, and the parts that this machine cannot provide, each with the reason.
    async fn install(&self, plan: &Plan) -> anyhow::Result<(Installed, BTreeMap<String, String>)> {
        let cache = plan.cache.native()?;
        let servers = plan
            .here
            .iter()
            .filter_map(|part| Some((part, part.native?)));
        let installing = servers.map(async |(part, server)| {
            let installed = native::install(&self.context, part, &server, &cache).await?;
            anyhow::Ok((part.name, installed))
        });
        let (mut found, mut refused) = (Installed::new(), BTreeMap::new());
        for (name, installed) in try_join_all(installing).await? {
            match installed {
                Ok(folder) => drop(found.insert(name, folder)),
                Err(why) => drop(refused.insert(name.to_owned(), why)),
            }
        }
        Ok((found, refused))
    }

    /// What runs inside this process at once, and then the children side by side, until each is ready.
    async fn start_parts(&mut self, plan: &mut Plan, installed: &Installed) -> anyhow::Result<()> {
        let is_inside = |part: &&Part| part.is_inside() && !installed.contains_key(part.name);
        let (inside, children): (Vec<_>, Vec<_>) = plan.here.iter().copied().partition(is_inside);
        let (claims, faults) = (&mut plan.claims, &plan.overrides.faults);
        for part in inside {
            if let Some(Start::Inside { serve, loses }) = part.embedded {
                let mut begin = self.begin(part, &plan.ports);
                stand_ins::start(&mut begin, (serve, loses), claims, faults)?;
            }
        }
        for part in &children {
            claims.release(part.ports);
        }
        let ready: Vec<_> = children
            .into_iter()
            .filter_map(|part| {
                let ready = self.start_child(part, installed.get(part.name), &plan.ports)?;
                Some(ready.map(move |chosen| (part, chosen)))
            })
            .collect();
        for (part, chosen) in self.unless_one_ends(join_all(ready)).await? {
            if let (Some(port), Some(number)) = (part.ports.first(), chosen) {
                plan.ports.set(port, number);
            }
        }
        Ok(())
    }

    fn start_child(
        &mut self,
        part: &'static Part,
        installed: Option<&PathBuf>,
        ports: &Ports,
    ) -> Option<Ready> {
        let begin = &mut self.begin(part, ports);
        match (installed, part.native, part.embedded) {
            (Some(installed), Some(server), _) => {
                Some(native::start(begin, &server, installed.clone()))
            }
            (_, _, Some(Start::Child { start, .. })) => Some(start(begin)),
            _ => None,
        }
    }

    fn begin<'a>(&'a mut self, part: &'static Part, ports: &'a Ports) -> Begin<'a> {
        let group = if part.stops_last || part.is_inside() {
            &mut self.servers
        } else {
            &mut self.stores
        };
        Begin {
            part,
            context: &self.context,
            group,
            ports,
        }
    }

    /// All five, side by side, until each says that it is ready.
    async fn start_services(
        &mut self,
        addresses: &Addresses,
        claims: Claims,
    ) -> anyhow::Result<()> {
        // All ports are let go before the first child starts: for the moment between its fork and its exec, a child
        // holds a copy of every socket that we still have, and another could not bind that port.
        drop(claims);
        let client = reqwest::Client::builder().timeout(READY_TIMEOUT).build()?;
        let addresses = Arc::new(addresses.clone());
        let ready = Service::ALL.map(|service| {
            let (context, addresses) = (self.context.clone(), Arc::clone(&addresses));
            let client = client.clone();
            self.services
                .keep(&self.context, service.name(), again(), move |life| {
                    let (context, client) = (context.clone(), client.clone());
                    services::run(context, service, Arc::clone(&addresses), client, life)
                })
        });
        self.unless_one_ends(join_all(ready.map(told))).await?;
        Ok(())
    }

    /// What `waited` for comes to, unless a part ends by itself before.
    async fn unless_one_ends<T>(&mut self, waited: impl Future<Output = T>) -> anyhow::Result<T> {
        tokio::select! {
            value = waited => Ok(value),
            exit = self.first_end() => Err(self.died(&exit)),
        }
    }
}

/// Creates what is missing on servers that others run.
async fn reach_outside(addresses: &Addresses) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().build()?;
    tokio::try_join!(
        postgres::create_databases(addresses.value("ORDERS_DATABASE_URL")),
        topology::create_topics(addresses.value("KAFKA_BROKERS")),
        topology::create_subscriptions(&client, addresses.value("PUBSUB_EMULATOR_HOST")),
    )?;
    Ok(())
}
