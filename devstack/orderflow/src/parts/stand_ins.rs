//! The stand-ins that run inside this process: SQS, Pub/Sub, embeddings, mail and the trace store.
//!
//! What they keep is in memory, so one that is stopped and started again is empty.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use futures::future::try_join_all;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::faults::Faults;
use super::part::{Begin, Part, Serve};
use crate::context::Context;
use crate::keep::Life;
use crate::ports::{Claims, Port, Ports};
use crate::process::Exit;
use crate::topology;

/// A reader that keeps a connection open must not keep us from ending.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Starts a stand-in on the listeners that were claimed for it, so that clients can connect at once.
pub(crate) fn start(
    begin: &mut Begin<'_>,
    (serve, loses): (Serve, &'static str),
    claims: &mut Claims,
    faults: &Faults,
) -> anyhow::Result<()> {
    let part = begin.part;
    let claimed = part.ports.iter().map(|port| claims.listener(port));
    let mut claimed = Some(claimed.collect::<anyhow::Result<Vec<_>>>()?);
    let (context, ports) = (begin.context.clone(), begin.ports.clone());
    let faults = faults.clone();
    let live = move |life| {
        let stand_in = StandIn { part, serve };
        let (ports, faults) = (ports.clone(), faults.clone());
        stand_in.run(context.clone(), ports, claimed.take(), faults, life)
    };
    begin
        .group
        .keep_inside(begin.context, part.name, loses, live);
    Ok(())
}

pub(crate) async fn sqs(
    listeners: Vec<TcpListener>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let [listener] = exactly(listeners)?;
    let queues = topology::queues().into_iter();
    let queues = queues.fold(sqs::Queues::new(), sqs::Queues::with_queue);
    sqs::serve(listener, queues, stop).await
}

pub(crate) async fn pubsub(
    listeners: Vec<TcpListener>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let [listener] = exactly(listeners)?;
    pubsub::serve(listener, topology::resources(), stop).await
}

pub(crate) async fn embeddings(
    listeners: Vec<TcpListener>,
    faults: Faults,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let [listener] = exactly(listeners)?;
    embeddings::serve_with_faults(listener, faults.fault_embeddings, stop).await
}

pub(crate) async fn mail(
    listeners: Vec<TcpListener>,
    faults: Faults,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let [smtp, http] = exactly(listeners)?;
    mail::serve_with_faults(mail::Listeners { smtp, http }, faults.fault_mail, stop).await
}

pub(crate) async fn traces(
    listeners: Vec<TcpListener>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let [otlp_grpc, otlp_http, query] = exactly(listeners)?;
    let listeners = traces::Listeners {
        otlp_grpc,
        otlp_http,
        query,
    };
    traces::serve(listeners, traces::Limits::default(), stop).await
}

/// The listeners of a part, in the order of its ports.
fn exactly<const N: usize>(listeners: Vec<TcpListener>) -> anyhow::Result<[TcpListener; N]> {
    let listeners = <[TcpListener; N]>::try_from(listeners);
    listeners.map_err(|all| anyhow!("{} listeners for {N} ports", all.len()))
}

struct StandIn {
    part: &'static Part,
    serve: Serve,
}

impl StandIn {
    /// One life, on the listeners that were claimed or, later, on the same ports again.
    async fn run(
        self,
        context: Context,
        ports: Ports,
        claimed: Option<Vec<TcpListener>>,
        faults: Faults,
        life: Life,
    ) -> anyhow::Result<Exit> {
        let announced = context.screen.starting(self.part.name);
        let listeners = match claimed {
            Some(listeners) => listeners,
            None => bind(self.part.ports, &ports).await?,
        };
        announced.ready(&ports.fill(self.part.address));
        let _ = life.ready.send(());
        let overdue = async {
            life.stop.cancelled().await;
            tokio::time::sleep(CLOSE_LIMIT).await;
        };
        tokio::select! {
            result = (self.serve)(listeners, faults, life.stop.clone()) => result?,
            () = overdue => {}
        }
        let how = "ended by itself".to_owned();
        Ok(Exit::new(self.part.name, how, Vec::new()))
    }
}

async fn bind(wanted: &[Port], ports: &Ports) -> anyhow::Result<Vec<TcpListener>> {
    let listeners = wanted.iter().map(async |port| {
        let number = ports.of(port);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).await;
        listener.with_context(|| format!("listening on port {number}"))
    });
    try_join_all(listeners).await
}
