//! Starting the stack: the servers, by where they come from, and then the services.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::join_all;
use tokio::net::TcpListener;

use super::Stack;
use super::args::{Plan, Source, StackArgs};
use crate::keep::{Begin, Kind};
use crate::parts::native::{self, Native};
use crate::parts::part::{Live, Part, Site, Start};
use crate::parts::{postgres, services, stand_ins};
use crate::ports::{Claims, Port};
use crate::service::SERVICES;
use crate::settings::Addresses;
use crate::topology;

/// By the name of a part: where its real server is installed.
type Installed = BTreeMap<&'static str, PathBuf>;

impl Stack {
    pub(super) async fn start(&mut self, mut plan: Plan) -> anyhow::Result<Addresses> {
        let (installed, refused) = match plan.args.servers {
            Source::Native => self.install(&plan).await?,
            Source::Embedded | Source::Outside => Default::default(),
        };
        let is_there = |part: &&Part| part.embedded.is_some() || installed.contains_key(part.name);
        plan.here.retain(is_there);
        self.start_parts(&mut plan, &installed).await?;
        let mut addresses = plan.addresses()?;
        addresses.stand_ins = refused;
        if plan.args.servers == Source::Outside {
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
        let cache = plan.args.cache.native()?;
        let parts = plan.here.iter();
        let installing = parts.filter_map(|part| Some((part, part.native?)));
        let installing = installing.map(async |(part, server)| {
            let installed = native::install(&self.context, part, &server, &cache).await;
            (part.name, installed)
        });
        let (mut found, mut refused) = (Installed::new(), BTreeMap::new());
        for (name, installed) in join_all(installing).await {
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
        let mut begun = Vec::new();
        for part in &inside {
            let listeners = plan.claims.listeners(part.ports)?;
            begun.extend(self.start_part(part, &plan.args, None, listeners));
        }
        for part in &children {
            plan.claims.release(part.ports);
        }
        for part in &children {
            let installed = installed.get(part.name);
            begun.extend(self.start_part(part, &plan.args, installed, Vec::new()));
        }
        for (port, chosen) in self.unless_one_ends(join_all(begun)).await? {
            if let Some(number) = chosen {
                plan.args.flags.ports.set(port, number);
            }
        }
        Ok(())
    }

    /// Starts the real server of a part if it is installed, else what stands in for it, if anything does; answers, once it is
    /// ready, with its first port and the number that it chose for it.
    fn start_part(
        &mut self,
        part: &'static Part,
        args: &StackArgs,
        installed: Option<&PathBuf>,
        listeners: Vec<TcpListener>,
    ) -> Option<impl Future<Output = (&'static Port, Option<u16>)> + use<>> {
        let site = Site {
            context: self.context.clone(),
            part,
            ports: args.flags.ports.clone(),
        };
        let child =
            |site: Site, live: Live| -> Begin { Box::new(move |life| live(site.clone(), life)) };
        let (kind, begin): (_, Begin) = match (installed.cloned().zip(part.native), part.embedded) {
            (Some((installed, server)), _) => {
                let native = Native {
                    site,
                    server,
                    installed,
                };
                let begin = move |life| native.clone().live(life).boxed();
                (Kind::Process, Box::new(begin))
            }
            (None, Some(Start::Inside { serve, loses })) => {
                let begin = stand_ins::begin(site, serve, args.faults.clone(), listeners);
                (Kind::Inside(loses), begin)
            }
            (None, Some(Start::Child(live))) => (Kind::Process, child(site, live)),
            (None, Some(Start::Once(live, why))) => (Kind::Once(why), child(site, live)),
            (None, None) => return None,
        };
        let group = if part.stops_last || part.is_inside() {
            &mut self.servers
        } else {
            &mut self.stores
        };
        let ready = group.keep(&self.context, part.name, kind, begin);
        Some(ready.map(|chosen| (&part.ports[0], chosen)))
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
        let addresses = Arc::new(addresses.clone());
        let ready = SERVICES.each_ref().map(|service| {
            let (context, addresses) = (self.context.clone(), Arc::clone(&addresses));
            let begin: Begin = Box::new(move |life| {
                services::live(context.clone(), service, Arc::clone(&addresses), life).boxed()
            });
            let group = &mut self.services;
            group.keep(&self.context, service.name, Kind::Process, begin)
        });
        self.unless_one_ends(join_all(ready)).await?;
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
    tokio::try_join!(
        postgres::create_databases(addresses.value("ORDERS_DATABASE_URL")),
        topology::create_topics(addresses.value("KAFKA_BROKERS").to_owned()),
        topology::create_subscriptions(addresses.value("PUBSUB_EMULATOR_HOST").to_owned()),
    )?;
    Ok(())
}
