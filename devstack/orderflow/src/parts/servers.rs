//! The stand-ins that run inside this process: SQS, Pub/Sub, embeddings, mail and the trace store.

use std::time::Duration;

use sqs::QueueConfig;
use tokio_util::sync::CancellationToken;

use super::{Context, Group};
use crate::ports::{Claims, Port, Ports};
use crate::process::Exit;
use crate::settings::PUBSUB_PROJECT;

/// The brokers' own bounds, the largest that they allow: a safety net far above the one that the services keep
/// (`MESSAGING_MAX_ATTEMPTS`), since a message that the broker moves is one whose order nobody ends.
const MAX_RECEIVES: u32 = 1000;
const MAX_DELIVERY_ATTEMPTS: u8 = 100;

const CLASSIFIED: &str = "order.classified";
/// A topic and the subscription that keeps what arrives on it.
const DEAD_LETTERS: &str = "order.classified.dlq";

/// A reader that keeps a connection open must not keep us from ending.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Starts all of them in `group`, each on the listener that was claimed for it: they are ready at once.
pub(crate) fn start(
    context: &Context,
    group: &mut Group,
    ports: &Ports,
    claims: &mut Claims,
) -> anyhow::Result<()> {
    let (sqs, pubsub) = (claims.listener(Port::Sqs)?, claims.listener(Port::PubSub)?);
    let embeddings = claims.listener(Port::Embeddings)?;
    let mail = mail::Listeners {
        smtp: claims.listener(Port::Smtp)?,
        http: claims.listener(Port::Mail)?,
    };
    let traces = traces::Listeners {
        otlp_grpc: claims.listener(Port::OtlpGrpc)?,
        otlp_http: claims.listener(Port::OtlpHttp)?,
        query: claims.listener(Port::Traces)?,
    };
    let mut start = Start { context, group };
    let url = |port| format!("http://127.0.0.1:{}", ports.of(port));

    start.part("sqs", &url(Port::Sqs), |stop| {
        sqs::serve(sqs, queues(), stop)
    });
    start.part("pubsub", &url(Port::PubSub), |stop| {
        pubsub::serve(pubsub, resources(), stop)
    });
    start.part("embeddings", &url(Port::Embeddings), |stop| {
        embeddings::serve(embeddings, stop)
    });
    let address = format!("{}  (SMTP on {})", url(Port::Mail), ports.of(Port::Smtp));
    start.part("mail", &address, |stop| mail::serve(mail, stop));
    let [grpc, http] = [Port::OtlpGrpc, Port::OtlpHttp].map(|port| ports.of(port));
    let address = format!(
        "{}  (OTLP: gRPC on {grpc}, HTTP on {http})",
        url(Port::Traces)
    );
    start.part("traces", &address, |stop| {
        traces::serve(traces, traces::Limits::default(), stop)
    });
    Ok(())
}

/// The queue of classification jobs, and where a job goes that nobody could do.
fn queues() -> sqs::Queues {
    let jobs = QueueConfig::new("classification-jobs")
        .with_redrive("classification-jobs-dlq", MAX_RECEIVES);
    sqs::Queues::new()
        .with_queue(jobs)
        .with_queue(QueueConfig::new("classification-jobs-dlq"))
}

/// The topic with its two subscribers, and where an order goes that one of them cannot take in.
/// The services wait before they hand a message back, so no retry policy slows them further.
fn resources() -> pubsub::Resources {
    let subscription = |id: &str, topic: &str| pubsub::Subscription {
        id: id.to_owned(),
        topic: topic.to_owned(),
        ack_deadline: Duration::from_secs(10),
        dead_letter_policy: None,
        retry_policy: None,
    };
    let consumer = |id| pubsub::Subscription {
        dead_letter_policy: Some(pubsub::DeadLetterPolicy {
            topic: DEAD_LETTERS.to_owned(),
            max_delivery_attempts: MAX_DELIVERY_ATTEMPTS,
        }),
        ..subscription(id, CLASSIFIED)
    };
    pubsub::Resources {
        project: PUBSUB_PROJECT.to_owned(),
        topics: vec![CLASSIFIED.to_owned(), DEAD_LETTERS.to_owned()],
        subscriptions: vec![
            consumer("orders"),
            consumer("email"),
            subscription(DEAD_LETTERS, DEAD_LETTERS),
        ],
    }
}

struct Start<'a> {
    context: &'a Context,
    group: &'a mut Group,
}

impl Start<'_> {
    fn part<F>(
        &mut self,
        name: &'static str,
        address: &str,
        serve: impl FnOnce(CancellationToken) -> F,
    ) where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let line = self.context.screen.starting(name);
        let stop = self.group.stop.clone();
        self.group.add(name, run(name, serve(stop.clone()), stop));
        line.ready(address);
    }
}

async fn run(
    name: &'static str,
    server: impl Future<Output = anyhow::Result<()>> + Send,
    stop: CancellationToken,
) -> anyhow::Result<Exit> {
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(CLOSE_LIMIT).await;
    };
    tokio::select! {
        result = server => result?,
        () = overdue => {}
    }
    Ok(Exit::new(name, "ended by itself".to_owned(), Vec::new()))
}
