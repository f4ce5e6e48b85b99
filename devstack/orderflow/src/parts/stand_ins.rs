//! The stand-ins that run inside this process: SQS, Pub/Sub, embeddings, mail and the trace store.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Context, Group, Part, address};
use crate::ports::{Claims, Port, Ports};
use crate::process::Exit;
use crate::topology;

/// A reader that keeps a connection open must not keep us from ending.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Starts a stand-in for each part that is `wanted` in `group`, on the listeners that were claimed for it: they are ready at once.
pub(crate) fn start(
    context: &Context,
    group: &mut Group,
    wanted: &[Part],
    ports: &Ports,
    claims: &mut Claims,
) -> anyhow::Result<()> {
    let mut start = Start {
        context,
        group,
        ports,
        claims,
    };
    for part in wanted {
        match part {
            Part::Sqs => start.sqs()?,
            Part::PubSub => start.pubsub()?,
            Part::Embeddings => start.embeddings()?,
            Part::Mail => start.mail()?,
            Part::Traces => start.traces()?,
            // Processes of their own: see their files.
            Part::Postgres | Part::Kafka => {}
        }
    }
    Ok(())
}

struct Start<'a> {
    context: &'a Context,
    group: &'a mut Group,
    ports: &'a Ports,
    claims: &'a mut Claims,
}

impl Start<'_> {
    fn sqs(&mut self) -> anyhow::Result<()> {
        let listener = self.claims.listener(Port::Sqs)?;
        let queues = topology::queues().into_iter();
        let queues = queues.fold(sqs::Queues::new(), sqs::Queues::with_queue);
        self.add(Part::Sqs, |stop| sqs::serve(listener, queues, stop));
        Ok(())
    }

    fn pubsub(&mut self) -> anyhow::Result<()> {
        let listener = self.claims.listener(Port::PubSub)?;
        self.add(Part::PubSub, |stop| {
            pubsub::serve(listener, topology::resources(), stop)
        });
        Ok(())
    }

    fn embeddings(&mut self) -> anyhow::Result<()> {
        let listener = self.claims.listener(Port::Embeddings)?;
        self.add(Part::Embeddings, |stop| embeddings::serve(listener, stop));
        Ok(())
    }

    fn mail(&mut self) -> anyhow::Result<()> {
        let listeners = mail::Listeners {
            smtp: self.claims.listener(Port::Smtp)?,
            http: self.claims.listener(Port::Mail)?,
        };
        self.add(Part::Mail, |stop| mail::serve(listeners, stop));
        Ok(())
    }

    fn traces(&mut self) -> anyhow::Result<()> {
        let listeners = traces::Listeners {
            otlp_grpc: self.claims.listener(Port::OtlpGrpc)?,
            otlp_http: self.claims.listener(Port::OtlpHttp)?,
            query: self.claims.listener(Port::Traces)?,
        };
        self.add(Part::Traces, |stop| {
            traces::serve(listeners, traces::Limits::default(), stop)
        });
        Ok(())
    }

    fn add<F>(&mut self, part: Part, serve: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let line = self.context.screen.starting(part.name());
        let stop = self.group.stop.clone();
        self.group
            .add(part.name(), run(part.name(), serve(stop.clone()), stop));
        line.ready(&address::of(part, self.ports));
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
