//! Streaming pull: messages flow out as they come, and settlements may flow in beside them.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use tokio::sync::Notify;
use tonic::Status;

use super::subscriber::{move_deadline, parse_extension};
use super::{parse_ack_ids, received};
use crate::broker::Broker;
use crate::error::Error;
use crate::names::SubscriptionName;
use crate::proto::{StreamingPullRequest, StreamingPullResponse, SubscriptionProperties};
use crate::settings::parse_ack_deadline;
use crate::subscription::{Limits, StreamId};

/// Answers at once with a stream; its first item may be an error about the first request.
///
/// It ends when the client ends its side, and with `UNAVAILABLE` when the server stops.
pub(crate) fn streaming_pull<R>(
    broker: Broker,
    requests: R,
) -> impl Stream<Item = Result<StreamingPullResponse, Status>> + Send
where
    R: Stream<Item = Result<StreamingPullRequest, Status>> + Send + Unpin,
{
    stream::once(open(broker, requests))
        .map_ok(|pull| {
            stream::try_unfold(pull, |mut pull| async move {
                let response = pull.next().await?;
                Ok(response.map(|response| (response, pull)))
            })
        })
        .try_flatten()
}

async fn open<R>(broker: Broker, mut requests: R) -> Result<StreamingPull<R>, Status>
where
    R: Stream<Item = Result<StreamingPullRequest, Status>> + Unpin,
{
    let first = tokio::select! {
        () = broker.shutdown().cancelled() => return Err(Error::ShuttingDown.into()),
        first = requests.next() => first,
    };
    let Some(first) = first else {
        return Err(Error::invalid("The first request must name the subscription.").into());
    };
    let session = Session::open(broker, &first?)?;
    Ok(StreamingPull { session, requests })
}

struct StreamingPull<R> {
    session: Session,
    requests: R,
}

impl<R> StreamingPull<R>
where
    R: Stream<Item = Result<StreamingPullRequest, Status>> + Unpin,
{
    async fn next(&mut self) -> Result<Option<StreamingPullResponse>, Status> {
        let shutdown = self.session.broker.shutdown().clone();
        tokio::select! {
            biased;
            () = shutdown.cancelled() => Err(Error::ShuttingDown.into()),
            response = self.respond() => response,
        }
    }

    /// Waits for messages, and meanwhile does what the client's requests say.
    async fn respond(&mut self) -> Result<Option<StreamingPullResponse>, Status> {
        loop {
            let notified = Arc::clone(&self.session.waiting).notified_owned();
            // Requests first: a busy subscription must not keep acknowledgements waiting.
            let request = if let Some(request) = self.requests.next().now_or_never() {
                request
            } else {
                if let Some(response) = self.session.lease()? {
                    return Ok(Some(response));
                }
                tokio::select! {
                    () = notified => continue,
                    request = self.requests.next() => request,
                }
            };
            let Some(request) = request else {
                return Ok(None);
            };
            self.session.handle(&request?)?;
        }
    }
}

/// One open stream of a subscription; closed when it is dropped.
struct Session {
    broker: Broker,
    subscription: SubscriptionName,
    waiting: Arc<Notify>,
    stream: StreamId,
    ack_deadline: Duration,
    ordered: bool,
}

impl Session {
    fn open(broker: Broker, first: &StreamingPullRequest) -> Result<Self, Error> {
        let subscription: SubscriptionName = first.subscription.parse()?;
        let ack_deadline = parse_ack_deadline(first.stream_ack_deadline_seconds)?;
        let limits = Limits {
            messages: limit(first.max_outstanding_messages),
            bytes: limit(first.max_outstanding_bytes),
        };
        let waiting = broker.waiting(&subscription)?;
        let (stream, ordered) = broker.lease(&subscription, |subscription, _| {
            (
                subscription.open_stream(limits),
                subscription.settings().ordered,
            )
        })?;
        let session = Self {
            broker,
            subscription,
            waiting,
            stream,
            ack_deadline,
            ordered,
        };
        session.settle(first)?;
        Ok(session)
    }

    /// Later requests settle messages, or change the deadline, or only keep the connection alive.
    fn handle(&mut self, request: &StreamingPullRequest) -> Result<(), Error> {
        if request.stream_ack_deadline_seconds != 0 {
            self.ack_deadline = parse_ack_deadline(request.stream_ack_deadline_seconds)?;
        }
        self.settle(request)
    }

    fn settle(&self, request: &StreamingPullRequest) -> Result<(), Error> {
        let acknowledged = parse_ack_ids(&request.ack_ids)?;
        let moved = parse_ack_ids(&request.modify_deadline_ack_ids)?;
        if moved.len() != request.modify_deadline_seconds.len() {
            return Err(Error::invalid(
                "modify_deadline_ack_ids and modify_deadline_seconds differ in length.",
            ));
        }
        let extensions: Vec<Duration> = request
            .modify_deadline_seconds
            .iter()
            .map(|seconds| parse_extension(*seconds))
            .collect::<Result<_, _>>()?;
        if acknowledged.is_empty() && moved.is_empty() {
            return Ok(());
        }
        self.broker
            .with_subscription(&self.subscription, |subscription, now| {
                for id in acknowledged {
                    subscription.acknowledge(id, now);
                }
                for (id, extension) in moved.into_iter().zip(extensions) {
                    move_deadline(subscription, id, extension, now);
                }
            })
    }

    fn lease(&self) -> Result<Option<StreamingPullResponse>, Error> {
        let deliveries = self
            .broker
            .lease(&self.subscription, |subscription, now| {
                subscription.pull_stream(self.stream, self.ack_deadline, now)
            })?
            .ok_or_else(|| Error::NotFound(self.subscription.to_string()))?;
        if deliveries.is_empty() {
            return Ok(None);
        }
        Ok(Some(StreamingPullResponse {
            received_messages: deliveries.iter().map(received).collect(),
            subscription_properties: Some(SubscriptionProperties {
                exactly_once_delivery_enabled: false,
                message_ordering_enabled: self.ordered,
            }),
        }))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // What this stream left for the others to take is theirs now, so they are woken.
        // A subscription that was deleted in between has no streams to close.
        let _ = self
            .broker
            .with_subscription(&self.subscription, |subscription, _| {
                subscription.close_stream(self.stream);
            });
    }
}

/// Zero or less is unlimited.
fn limit(from: i64) -> Option<usize> {
    usize::try_from(from).ok().filter(|limit| *limit > 0)
}
