//! The stand-ins that run inside this process: SQS, Pub/Sub, embeddings, mail and the trace store.
//!
//! What they keep is in memory, so one that is stopped and started again is empty.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use futures::FutureExt as _;
use futures::future::try_join_all;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::part::{Faults, Serve, Site};
use crate::keep::{Begin, Life};
use crate::process::Exit;
use crate::topology;

/// A reader that keeps a connection open must not keep us from ending.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

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

/// Begins each life of a stand-in, the first on the listeners that were claimed for it, so that clients can connect at once.
pub(crate) fn begin(site: Site, serve: Serve, faults: Faults, claimed: Vec<TcpListener>) -> Begin {
    let mut claimed = Some(claimed);
    Box::new(move |life| live(site.clone(), serve, faults.clone(), claimed.take(), life).boxed())
}

/// One life, on the listeners that were claimed or, later, on the same ports again.
async fn live(
    site: Site,
    serve: Serve,
    faults: Faults,
    claimed: Option<Vec<TcpListener>>,
    mut life: Life,
) -> anyhow::Result<Exit> {
    let (part, starting) = (site.part, site.starting());
    let ports = part.ports.iter().map(|port| site.ports.of(port));
    let listeners = match claimed {
        Some(listeners) => listeners,
        None => try_join_all(ports.map(bind)).await?,
    };
    starting.ready(&site.address());
    life.tell_ready(None);
    let overdue = async {
        life.stop.cancelled().await;
        tokio::time::sleep(CLOSE_LIMIT).await;
    };
    tokio::select! {
        result = serve(listeners, faults, life.stop.clone()) => result?,
        () = overdue => {}
    }
    let how = "ended by itself".to_owned();
    Ok(Exit::new(part.name, how, Vec::new()))
}

async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    listener.with_context(|| format!("listening on port {port}"))
}
