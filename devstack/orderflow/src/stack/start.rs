//! Starting the stack: the servers, by where they come from, and then the services.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::future::{join_all, try_join_all};
use tokio::sync::oneshot;

use super::Stack;
use super::args::{Plan, PlannedServers};
use crate::install::Cache;
use crate::keep::{BackOff, Restart};
use crate::parts::native::{self, Server, Site};
use crate::parts::{Part, address, kafka, postgres, services, stand_ins};
use crate::ports::{Claims, Port};
use crate::service::Service;
use crate::settings::{Addresses, Servers};
use crate::topology;

/// One question to a service; the next is asked soon enough.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// Everything that has a stand-in inside this process.
const STAND_INS: [Part; 5] = [
    Part::Sqs,
    Part::PubSub,
    Part::Embeddings,
    Part::Mail,
    Part::Traces,
];

impl Stack {
    pub(super) async fn start(&mut self, mut plan: Plan) -> anyhow::Result<Addresses> {
        let servers = match &plan.servers {
            PlannedServers::Embedded => self.start_embedded(&mut plan).await?,
            PlannedServers::Native(cache) => {
                let cache = cache.clone();
                self.start_native(&mut plan, &cache).await?
            }
            PlannedServers::Outside(servers) => {
                let servers = servers.clone();
                self.reach_outside(&mut plan, *servers).await?
            }
        };
        let addresses = Addresses {
            ports: plan.ports,
            servers,
        };
        if plan.with_services {
            self.start_services(&addresses, plan.claims).await?;
        }
        let mut run = self.context.run.lock().expect("no panic while saving");
        run.set_ready(&addresses)?;
        drop(run);
        Ok(addresses)
    }

    async fn start_embedded(&mut self, plan: &mut Plan) -> anyhow::Result<Servers> {
        self.start_stand_ins(&STAND_INS, plan)?;
        let (postgres, kafka) = (self.start_postgres(plan), self.start_mock_kafka());
        let both = async { tokio::join!(told(kafka), told(postgres)).0 };
        let brokers = self.unless_one_ends(both).await?;
        Ok(Servers::here(&plan.ports, brokers, &plan.overrides))
    }

    /// The real servers, side by side, each as soon as it is there; a stand-in for each that this machine cannot provide.
    async fn start_native(&mut self, plan: &mut Plan, cache: &Cache) -> anyhow::Result<Servers> {
        let (found, refused) = self.install(cache).await?;
        let real = |part| found.iter().any(|(server, _)| server.part == part);
        let missing: Vec<Part> = STAND_INS.into_iter().filter(|part| !real(*part)).collect();
        let kafka_is_real = real(Part::Kafka);
        self.start_stand_ins(&missing, plan)?;
        for (server, _) in &found {
            plan.claims.release(server.part.ports());
        }
        let mut ready = vec![self.start_postgres(plan)];
        for (server, installed) in found {
            ready.push(self.start_real(server, installed, plan));
        }
        let mock = (!kafka_is_real).then(|| self.start_mock_kafka());
        self.unless_one_ends(join_all(ready.into_iter().map(told)))
            .await?;
        let brokers = match mock {
            Some(mock) => self.unless_one_ends(told(mock)).await?,
            None => address::host(&plan.ports, Port::Kafka),
        };
        let mut servers = Servers::here(&plan.ports, brokers, &plan.overrides);
        servers.stand_ins = refused;
        Ok(servers)
    }

    /// The servers that are there now, and the parts that this machine cannot provide, each with the reason.
    async fn install(
        &self,
        cache: &Cache,
    ) -> anyhow::Result<(Vec<(Server, PathBuf)>, BTreeMap<String, String>)> {
        let cache = cache.native()?;
        let installing = native::SERVERS.map(async |server| {
            let installed = server.install(&self.context, &cache).await?;
            anyhow::Ok((server, installed))
        });
        let (mut found, mut refused) = (Vec::new(), BTreeMap::new());
        for (server, installed) in try_join_all(installing).await? {
            match installed {
                Ok(folder) => found.push((server, folder)),
                Err(why) => {
                    refused.insert(server.part.name().to_owned(), why);
                }
            }
        }
        Ok((found, refused))
    }

    /// Creates what is missing on servers that others run; the embeddings may still be ours.
    async fn reach_outside(
        &mut self,
        plan: &mut Plan,
        servers: Servers,
    ) -> anyhow::Result<Servers> {
        if !plan.overrides.has_embeddings() {
            self.start_stand_ins(&[Part::Embeddings], plan)?;
        }
        let client = reqwest::Client::builder().build()?;
        let databases = postgres::DATABASES.map(async |database| {
            let server = servers.database("postgres");
            let created = postgres_server::create_database(&server, database).await;
            created.with_context(|| format!("creating the database {database}"))
        });
        tokio::try_join!(
            try_join_all(databases),
            topology::create_topics(&servers.kafka_brokers),
            topology::create_subscriptions(&client, &servers.pubsub_host),
        )?;
        Ok(servers)
    }

    fn start_stand_ins(&mut self, parts: &[Part], plan: &mut Plan) -> anyhow::Result<()> {
        let Plan {
            ports,
            overrides,
            claims,
            ..
        } = plan;
        let planned = stand_ins::Planned { ports, overrides };
        stand_ins::start(&self.context, &mut self.servers, parts, &planned, claims)
    }

    fn start_postgres(&mut self, plan: &mut Plan) -> oneshot::Receiver<()> {
        plan.claims.release(Part::Postgres.ports());
        let (context, port) = (self.context.clone(), plan.ports.of(Port::Postgres));
        self.stores
            .keep(&self.context, postgres::NAME, again(), move |life| {
                postgres::run(context.clone(), port, life)
            })
    }

    fn start_mock_kafka(&mut self) -> oneshot::Receiver<String> {
        let (told, receiver) = oneshot::channel();
        let (context, mut told) = (self.context.clone(), Some(told));
        let once = Restart::Never(kafka::ONCE);
        self.stores
            .keep(&self.context, kafka::NAME, once, move |life| {
                kafka::run(context.clone(), told.take(), life)
            });
        receiver
    }

    fn start_real(
        &mut self,
        server: Server,
        installed: PathBuf,
        plan: &Plan,
    ) -> oneshot::Receiver<()> {
        let site = Site {
            installed,
            data: self.context.folder.data_of(server.part.name()),
            ports: plan.ports.clone(),
        };
        // The services send their last spans while they stop.
        let group = match server.part {
            Part::Traces => &mut self.servers,
            _ => &mut self.stores,
        };
        let context = self.context.clone();
        group.keep(&self.context, server.part.name(), again(), move |life| {
            native::run(context.clone(), server, site.clone(), life)
        })
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

fn again() -> Restart {
    Restart::Always(BackOff::default())
}

/// What a part tells once it is ready. One that fails tells nothing: its end is noticed elsewhere.
async fn told<T>(ready: oneshot::Receiver<T>) -> T {
    match ready.await {
        Ok(value) => value,
        Err(_gone) => std::future::pending().await,
    }
}
