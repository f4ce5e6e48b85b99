//! The stand-ins that run inside this process: SQS, Pub/Sub, embeddings, mail and the trace store.
//!
//! What they keep is in memory, so one that is stopped and started again is empty.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use futures::FutureExt as _;
use futures::future::{BoxFuture, try_join_all};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Context, Group, Part, address};
use crate::keep::Life;
use crate::ports::{Claims, Ports};
use crate::process::Exit;
use crate::settings::Overrides;
use crate::topology;

/// A reader that keeps a connection open must not keep us from ending.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

type Serve =
    fn(Vec<TcpListener>, Overrides, CancellationToken) -> BoxFuture<'static, anyhow::Result<()>>;

/// What the stand-ins need to know of the whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planned<'a> {
    pub(crate) ports: &'a Ports,
    /// Among them the faults on purpose.
    pub(crate) overrides: &'a Overrides,
}

/// Starts a stand-in for each part that is `wanted` in `group`, on the listeners that were claimed for it, so that
/// clients can connect at once.
pub(crate) fn start(
    context: &Context,
    group: &mut Group,
    wanted: &[Part],
    plan: &Planned<'_>,
    claims: &mut Claims,
) -> anyhow::Result<()> {
    for part in wanted.iter().copied() {
        let Some((serve, loses)) = stand_in(part) else {
            continue;
        };
        let claimed = part.ports().iter().map(|port| claims.listener(*port));
        let mut claimed = Some(claimed.collect::<anyhow::Result<Vec<_>>>()?);
        let (inner, ports) = (context.clone(), plan.ports.clone());
        let overrides = plan.overrides.clone();
        group.keep_inside(context, part.name(), loses, move |life| {
            let overrides = overrides.clone();
            let stand_in = StandIn {
                part,
                serve,
                overrides,
            };
            stand_in.run(inner.clone(), ports.clone(), claimed.take(), life)
        });
    }
    Ok(())
}

/// How a part is served here, and what is lost when it stops; nothing for those that are processes of their own.
fn stand_in(part: Part) -> Option<(Serve, &'static str)> {
    match part {
        Part::Sqs => Some((serve_sqs, "its messages are lost")),
        Part::PubSub => Some((serve_pubsub, "its messages are lost")),
        Part::Embeddings => Some((serve_embeddings, "loses nothing")),
        Part::Mail => Some((serve_mail, "the mails that it showed are lost")),
        Part::Traces => Some((serve_traces, "the traces that it kept are lost")),
        Part::Postgres | Part::Kafka => None,
    }
}

fn serve_sqs(
    listeners: Vec<TcpListener>,
    _: Overrides,
    stop: CancellationToken,
) -> BoxFuture<'static, anyhow::Result<()>> {
    async {
        let [listener] = exactly(listeners)?;
        let queues = topology::queues().into_iter();
        let queues = queues.fold(sqs::Queues::new(), sqs::Queues::with_queue);
        sqs::serve(listener, queues, stop).await
    }
    .boxed()
}

fn serve_pubsub(
    listeners: Vec<TcpListener>,
    _: Overrides,
    stop: CancellationToken,
) -> BoxFuture<'static, anyhow::Result<()>> {
    async {
        let [listener] = exactly(listeners)?;
        pubsub::serve(listener, topology::resources(), stop).await
    }
    .boxed()
}

fn serve_embeddings(
    listeners: Vec<TcpListener>,
    overrides: Overrides,
    stop: CancellationToken,
) -> BoxFuture<'static, anyhow::Result<()>> {
    async {
        let [listener] = exactly(listeners)?;
        embeddings::serve_with_faults(listener, overrides.fault_embeddings, stop).await
    }
    .boxed()
}

fn serve_mail(
    listeners: Vec<TcpListener>,
    overrides: Overrides,
    stop: CancellationToken,
) -> BoxFuture<'static, anyhow::Result<()>> {
    async {
        let [smtp, http] = exactly(listeners)?;
        let listeners = mail::Listeners { smtp, http };
        mail::serve_with_faults(listeners, overrides.fault_mail, stop).await
    }
    .boxed()
}

fn serve_traces(
    listeners: Vec<TcpListener>,
    _: Overrides,
    stop: CancellationToken,
) -> BoxFuture<'static, anyhow::Result<()>> {
    async {
        let [otlp_grpc, otlp_http, query] = exactly(listeners)?;
        let listeners = traces::Listeners {
            otlp_grpc,
            otlp_http,
            query,
        };
        traces::serve(listeners, traces::Limits::default(), stop).await
    }
    .boxed()
}

/// The listeners of a part, in the order of [`Part::ports`].
fn exactly<const N: usize>(listeners: Vec<TcpListener>) -> anyhow::Result<[TcpListener; N]> {
    let listeners = <[TcpListener; N]>::try_from(listeners);
    listeners.map_err(|all| anyhow!("{} listeners for {N} ports", all.len()))
}

struct StandIn {
    part: Part,
    serve: Serve,
    overrides: Overrides,
}

impl StandIn {
    /// One life, on the listeners that were claimed or, later, on the same ports again.
    async fn run(
        self,
        context: Context,
        ports: Ports,
        claimed: Option<Vec<TcpListener>>,
        life: Life,
    ) -> anyhow::Result<Exit> {
        let announced = context.screen.starting(self.part.name());
        let listeners = match claimed {
            Some(listeners) => listeners,
            None => bind(self.part, &ports).await?,
        };
        announced.ready(&address::of(self.part, &ports));
        let _ = life.ready.send(());
        let overdue = async {
            life.stop.cancelled().await;
            tokio::time::sleep(CLOSE_LIMIT).await;
        };
        tokio::select! {
            result = (self.serve)(listeners, self.overrides, life.stop.clone()) => result?,
            () = overdue => {}
        }
        let how = "ended by itself".to_owned();
        Ok(Exit::new(self.part.name(), how, Vec::new()))
    }
}

async fn bind(part: Part, ports: &Ports) -> anyhow::Result<Vec<TcpListener>> {
    let listeners = part.ports().iter().map(async |port| {
        let number = ports.of(*port);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).await;
        listener.with_context(|| format!("listening on port {number}"))
    });
    try_join_all(listeners).await
}
