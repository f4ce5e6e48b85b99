//! Streaming pull: messages flow out as they come, and settlements may flow in beside them.

use std::time::Duration;

use futures::FutureExt;
use futures::stream::{self, Stream};
use tonic::{Status, Streaming};

use crate::api::{received, settle};
use crate::broker::Broker;
use crate::error::Error;
use crate::flow::{Limits, StreamId};
use crate::proto::{StreamingPullRequest, StreamingPullResponse, SubscriptionProperties};
use crate::settings::parse_ack_deadline;

/// Opens a stream with the client's first request.
///
/// It ends when the client ends its side, and with `UNAVAILABLE` when the server stops.
pub(crate) async fn open(
    broker: Broker,
    requests: Streaming<StreamingPullRequest>,
) -> Result<impl Stream<Item = Result<StreamingPullResponse, Status>>, Status> {
    let session = Session::open(broker, requests).await?;
    Ok(stream::try_unfold(session, async |mut session| {
        let response = session.next().await?;
        Ok(response.map(|response| (response, session)))
    }))
}

/// One open stream of a subscription; closed when it is dropped.
struct Session {
    broker: Broker,
    requests: Streaming<StreamingPullRequest>,
    subscription: String,
    stream: StreamId,
    ack_deadline: Duration,
    ordered: bool,
}

impl Session {
    async fn open(
        broker: Broker,
        mut requests: Streaming<StreamingPullRequest>,
    ) -> Result<Self, Status> {
        let Some(first) = requests.message().await? else {
            return Err(Error::invalid("The first request must name the subscription.").into());
        };
        let name = first.subscription.clone();
        let ack_deadline = parse_ack_deadline(first.stream_ack_deadline_seconds)?;
        let limits = Limits {
            messages: limit(first.max_outstanding_messages),
            bytes: limit(first.max_outstanding_bytes),
        };
        let (stream, ordered) = broker.change(|catalog, _| {
            let subscription = catalog.subscription(&name)?;
            let ordered = subscription.settings.enable_message_ordering;
            Ok((subscription.streams.open(limits), ordered))
        })?;
        let mut session = Self {
            broker,
            requests,
            subscription: name,
            stream,
            ack_deadline,
            ordered,
        };
        session.handle(&first)?;
        Ok(session)
    }

    /// Waits for messages, and meanwhile does what the client's requests say.
    async fn next(&mut self) -> Result<Option<StreamingPullResponse>, Status> {
        loop {
            if self.broker.shutdown.is_cancelled() {
                return Err(Error::ShuttingDown.into());
            }
            let news = self.broker.news();
            // Requests first: a busy subscription must not keep acknowledgements waiting.
            let request = if let Some(request) = self.requests.message().now_or_never() {
                request?
            } else if let Some(response) = self.lease()? {
                return Ok(Some(response));
            } else {
                tokio::select! {
                    () = news => continue,
                    () = self.broker.shutdown.cancelled() => continue,
                    request = self.requests.message() => request?,
                }
            };
            let Some(request) = request else {
                return Ok(None);
            };
            self.handle(&request)?;
        }
    }

    /// Every request may settle messages and change the deadline; some only keep the connection alive.
    fn handle(&mut self, request: &StreamingPullRequest) -> Result<(), Error> {
        if request.stream_ack_deadline_seconds != 0 {
            self.ack_deadline = parse_ack_deadline(request.stream_ack_deadline_seconds)?;
        }
        settle(&self.broker, &self.subscription, request).map(drop)
    }

    fn lease(&self) -> Result<Option<StreamingPullResponse>, Error> {
        let deliveries = self.broker.lease(|catalog, now| {
            let subscription = catalog.subscription(&self.subscription)?;
            subscription.pull_stream(self.stream, self.ack_deadline, now)
        })?;
        let response = StreamingPullResponse {
            received_messages: deliveries.iter().map(received).collect(),
            subscription_properties: Some(SubscriptionProperties {
                message_ordering_enabled: self.ordered,
            }),
        };
        Ok((!deliveries.is_empty()).then_some(response))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // What this stream left for the others to take is theirs now, so they are woken.
        // A subscription that was deleted in between has no streams to close.
        let _ = self.broker.change(|catalog, _| {
            let subscription = catalog.subscription(&self.subscription)?;
            subscription.streams.close(self.stream);
            Ok(())
        });
    }
}

/// Zero or less is unlimited.
fn limit(from: i64) -> usize {
    let limit = usize::try_from(from).ok().filter(|limit| *limit > 0);
    limit.unwrap_or(usize::MAX)
}
