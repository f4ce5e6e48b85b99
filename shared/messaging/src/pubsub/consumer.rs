use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::FutureExt;
use google_cloud_gax::error::rpc::Code;
use google_cloud_pubsub::Error;
use google_cloud_pubsub::client::Subscriber;
use google_cloud_pubsub::model::{Message as Raw, Subscription as Description};
use google_cloud_pubsub::subscriber::handler::Handler as AckHandle;
use google_cloud_pubsub::subscriber::{MessageStream, ShutdownToken};
use otel_carriers::pubsub::MetadataExtractor;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::consumer::Receive;
use crate::context::extract;
use crate::delivery::{Delivery, Message, Origin};
use crate::destination::Destination;
use crate::driver::Driver;
use crate::error::ReceiveError;
use crate::headers::Headers;
use crate::settings::Settings;
use crate::source::{Receipt, Received, Source};
use crate::span;
use crate::stack::Process;

/// How long to wait after the stream failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the last acknowledgements may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// A subscription, and what it was set up with.
#[derive(Debug)]
pub struct Subscription {
    client: Subscriber,
    path: String,
    id: Arc<str>,
    destination: Arc<Destination>,
    settings: Settings,
    has_retry_policy: bool,
    is_ordered: bool,
}

impl Subscription {
    pub(super) fn new(
        client: Subscriber,
        path: String,
        description: &Description,
        destination: Destination,
        settings: &Settings,
    ) -> Self {
        Self {
            client,
            id: path.rsplit('/').next().unwrap_or_default().into(),
            path,
            destination: Arc::new(destination),
            settings: settings.clone(),
            has_retry_policy: description.retry_policy.is_some(),
            is_ordered: description.enable_message_ordering,
        }
    }

    fn open(&self, capacity: usize) -> MessageStream {
        self.client
            .subscribe(&self.path)
            .set_max_lease_extension(self.settings.lease)
            .set_max_outstanding_messages(i64::try_from(capacity).unwrap_or(i64::MAX))
            .build()
    }
}

impl Receive for Subscription {
    async fn receive<P: Process>(
        self,
        driver: Arc<Driver<P>>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        if !self.has_retry_policy {
            let subscription = &self.id;
            tracing::warn!(
                %subscription,
                "it has no retry policy: a message that is retried keeps its place among those in hand"
            );
        }
        let waiting = Waiting {
            tasks: TaskTracker::new(),
            stop: stop.clone(),
        };
        let open = Arc::new(Mutex::new(None));
        let stream = Stream {
            capacity: driver.capacity(),
            subscription: self,
            messages: None,
            open: open.clone(),
            waiting: waiting.clone(),
            not_before: Instant::now(),
            failing_since: None,
        };
        let received = driver.drive(stream, stop).await;
        waiting.end().await;
        let open = open.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(open) = open {
            // Sends the acknowledgements that the client has not sent yet.
            close(open).await;
        }
        received
    }
}

async fn close(open: ShutdownToken) {
    if tokio::time::timeout(CLOSE_WITHIN, open.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("Pub/Sub did not take the last acknowledgements in time");
    }
}

/// The stream of a subscription, opened again when it ends.
struct Stream {
    subscription: Subscription,
    capacity: usize,
    messages: Option<MessageStream>,
    /// What the stream that is open is closed with, after all that it gave is settled.
    open: Arc<Mutex<Option<ShutdownToken>>>,
    waiting: Waiting,
    not_before: Instant,
    failing_since: Option<Instant>,
}

impl Source for Stream {
    type Receipt = Ack;

    fn room(&self, in_hand: usize) -> usize {
        self.capacity.saturating_sub(in_hand)
    }

    async fn receive(&mut self, room: usize) -> Result<Vec<Received<Ack>>, ReceiveError> {
        loop {
            tokio::time::sleep_until(self.not_before).await;
            let stream = self.open();
            let next = stream.next().await;
            match next {
                Some(Ok(first)) => {
                    self.failing_since = None;
                    return Ok(self.take(first, room));
                }
                Some(Err(error)) => self.pause(&error)?,
                None => self.messages = None,
            }
        }
    }

    fn lane(&self, delivery: &Delivery) -> Option<Bytes> {
        if self.subscription.is_ordered {
            delivery.key().cloned()
        } else {
            None
        }
    }
}

impl Stream {
    fn open(&mut self) -> &mut MessageStream {
        let (subscription, capacity) = (&self.subscription, self.capacity);
        let open = &self.open;
        self.messages.get_or_insert_with(|| {
            let stream = subscription.open(capacity);
            let token = stream.shutdown_token();
            *open.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
            stream
        })
    }

    /// The first message, and those that are there already.
    fn take(&mut self, first: (Raw, AckHandle), room: usize) -> Vec<Received<Ack>> {
        let mut messages = vec![first];
        if let Some(stream) = &mut self.messages {
            while messages.len() < room
                && let Some(Some(Ok(next))) = stream.next().now_or_never()
            {
                messages.push(next);
            }
        }
        let received_at = SystemTime::now();
        let deliveries = messages.into_iter().map(|(message, handle)| {
            let receipt = Ack {
                handle: Some(handle),
                waiting: (!self.subscription.has_retry_policy).then(|| self.waiting.clone()),
            };
            let attempt = receipt.attempt();
            (self.delivery(message, attempt, received_at), receipt)
        });
        deliveries.collect()
    }

    fn delivery(&self, message: Raw, attempt: Option<u32>, received_at: SystemTime) -> Delivery {
        let sent_at = message
            .publish_time
            .and_then(|time| SystemTime::try_from(time).ok());
        let comes_again = attempt.is_some_and(|attempt| attempt > 1);
        let key = Bytes::from(message.ordering_key);
        let delivered = Message {
            destination: self.subscription.destination.clone(),
            id: message.message_id,
            key: (!key.is_empty()).then_some(key),
            context: extract(&MetadataExtractor::new(&message.attributes)),
            headers: message.attributes.into_iter().collect::<Headers>(),
            payload: Some(message.data),
            sent_at,
            received_at,
            queue_time: sent_at
                .filter(|_| !comes_again)
                .map(|sent| span::queue_time(sent, received_at)),
            origin: Origin::PubSub {
                subscription: self.subscription.id.clone(),
            },
        };
        Delivery::new(delivered, attempt.unwrap_or(1))
    }

    fn pause(&mut self, error: &Error) -> Result<(), ReceiveError> {
        let subscription = &self.subscription.id;
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        if !heals(error) && since.elapsed() >= self.subscription.settings.fatal_after {
            return Err(ReceiveError {
                destination: subscription.to_string(),
                reason: error.to_string(),
            });
        }
        tracing::warn!(%subscription, %error, "cannot receive, will try again");
        self.messages = None;
        self.not_before = Instant::now() + PAUSE;
        Ok(())
    }
}

fn heals(error: &Error) -> bool {
    let code = error.status().map(|status| status.code);
    !matches!(
        code,
        Some(
            Code::NotFound
                | Code::PermissionDenied
                | Code::Unauthenticated
                | Code::InvalidArgument
                | Code::FailedPrecondition
                | Code::Unimplemented
        )
    )
}

/// Messages that are kept for their delay, because the subscription has no policy for it.
#[derive(Debug, Clone)]
struct Waiting {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Waiting {
    fn keep(&self, handle: AckHandle, delay: Duration) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(tokio::time::sleep(delay)).await;
            handle.nack();
        });
    }

    async fn end(&self) {
        self.tasks.close();
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

/// A message in hand; the client extends its lease, and gives it back when this is dropped.
struct Ack {
    handle: Option<AckHandle>,
    waiting: Option<Waiting>,
}

impl Ack {
    fn attempt(&self) -> Option<u32> {
        let attempt = self.handle.as_ref()?.delivery_attempt()?;
        u32::try_from(attempt).ok().filter(|attempt| *attempt > 0)
    }
}

impl Receipt for Ack {
    const RETRIES_IN_PLACE: bool = false;

    fn ack(mut self) {
        if let Some(handle) = self.handle.take() {
            handle.ack();
        }
    }

    fn retry(mut self, after: Duration) {
        let Some(handle) = self.handle.take() else {
            return;
        };
        match &self.waiting {
            Some(waiting) => waiting.keep(handle, after),
            None => handle.nack(),
        }
    }
}
