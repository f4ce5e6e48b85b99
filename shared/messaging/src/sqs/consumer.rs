use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_sqs::Config;
use aws_sdk_sqs::types::{Message as Received, MessageSystemAttributeName};
use opentelemetry::Context;
use opentelemetry_semantic_conventions::attribute::AWS_SQS_QUEUE_URL;
use otel_carriers::sqs::{MetadataExtractor, PROPAGATION_ATTRIBUTES};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::{Address, Producer, Queue, reason, timeouts};
use crate::context::extract;
use crate::error::ConnectError;
use crate::handler::{Delivery, Handler};
use crate::process::{Message, Outcome, Processor};
use crate::settings::Settings;
use crate::shutdown::finish;
use crate::span;

/// The most messages that one `ReceiveMessage` gives.
const MAX_BATCH: usize = 10;
/// The longest that SQS lets a receive wait for a message.
const LONG_POLL_SECONDS: i32 = 20;
/// How long an answer to that may take.
const LONG_POLL_WITHIN: Duration = Duration::from_secs(25);
/// How often a message that is still worked on is hidden again, and for how long.
const HIDE_EVERY: Duration = Duration::from_secs(10);
const HIDE_SECONDS: i32 = 30;
/// How long to wait after a receive failed.
const RECEIVE_PAUSE: Duration = Duration::from_secs(1);

/// Receives events from one queue.
///
/// Messages are processed side by side.
/// A retry makes the message visible again after its delay; SQS counts the attempts.
#[derive(Debug)]
pub struct Consumer {
    queue: Arc<Queue>,
    settings: Settings,
    dead_letters: Producer,
}

impl Consumer {
    /// A consumer of the queue named `queue`; what is given up goes to the queue `<queue>-dlq`.
    ///
    /// A redrive policy to the same queue is a safety net for consumers that die before they decide;
    /// its `maxReceiveCount` must be larger than `MESSAGING_MAX_ATTEMPTS`.
    pub async fn connect(
        address: &Address,
        settings: &Settings,
        queue: &str,
    ) -> Result<Self, ConnectError> {
        Ok(Self {
            queue: Arc::new(Queue::find(address, queue).await?),
            settings: settings.clone(),
            dead_letters: Producer::connect(address, &format!("{queue}-dlq")).await?,
        })
    }

    /// Whether the broker answers and has the queue.
    pub async fn check(&self) -> Result<(), ConnectError> {
        self.queue.check().await
    }

    /// Receives until `shutdown`, then finishes what is in hand, within `MESSAGING_SHUTDOWN_TIMEOUT_MS`.
    pub async fn run<H: Handler>(self, handler: H, shutdown: CancellationToken) {
        let worker = Arc::new(Worker {
            queue: self.queue.clone(),
            processor: Processor {
                source: self.queue.destination.clone(),
                settings: self.settings.clone(),
                handler: Arc::new(handler),
                dead_letters: self.dead_letters.clone(),
            },
        });
        let room = Arc::new(Semaphore::new(self.settings.messaging_concurrency.into()));
        let mut tasks = JoinSet::new();
        while let Some(batch) = self.receive(&room, &shutdown).await {
            for (message, permit) in batch {
                tasks.spawn(worker.clone().work(message, permit));
            }
            while tasks.try_join_next().is_some() {}
        }
        finish(tasks, self.settings.shutdown_timeout()).await;
    }

    /// As many messages as there are and as there is room for, each with its room; `None` on shutdown.
    async fn receive(
        &self,
        room: &Arc<Semaphore>,
        shutdown: &CancellationToken,
    ) -> Option<Vec<(Received, OwnedSemaphorePermit)>> {
        loop {
            let permits = shutdown.run_until_cancelled(some_room(room)).await?;
            let started = SystemTime::now();
            let asked = self.ask(permits.len());
            match shutdown.run_until_cancelled(asked).await? {
                Ok(batch) => {
                    self.trace(&batch, started);
                    return Some(batch.into_iter().zip(permits).collect());
                }
                Err(reason) => self.pause(&reason, shutdown).await,
            }
        }
    }

    async fn ask(&self, most: usize) -> Result<Vec<Received>, String> {
        let answer = self
            .queue
            .client
            .receive_message()
            .queue_url(&self.queue.url)
            .max_number_of_messages(i32::try_from(most).unwrap_or(1))
            .wait_time_seconds(LONG_POLL_SECONDS)
            .set_message_attribute_names(Some(PROPAGATION_ATTRIBUTES.map(str::to_owned).to_vec()))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::AwsTraceHeader)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .customize()
            .config_override(Config::builder().timeout_config(timeouts(LONG_POLL_WITHIN)))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.messages.unwrap_or_default()),
            Err(error) => Err(reason(&error)),
        }
    }

    fn trace(&self, batch: &[Received], started: SystemTime) {
        if batch.len() > 1 {
            let senders: Vec<_> = batch.iter().map(creation).collect();
            span::receive(&self.queue.destination, started, &senders);
        }
    }

    async fn pause(&self, reason: &str, shutdown: &CancellationToken) {
        let queue = &self.queue.destination.name;
        tracing::warn!(queue, reason, "cannot receive, will try again");
        shutdown
            .run_until_cancelled(tokio::time::sleep(RECEIVE_PAUSE))
            .await;
    }
}

/// Waits for room for one message, and takes what there is for up to a batch.
async fn some_room(room: &Arc<Semaphore>) -> Vec<OwnedSemaphorePermit> {
    let first = room.clone().acquire_owned().await;
    let mut permits = vec![first.expect("nobody closes the semaphore")];
    while permits.len() < MAX_BATCH
        && let Ok(permit) = room.clone().try_acquire_owned()
    {
        permits.push(permit);
    }
    permits
}

/// What processing one message needs.
struct Worker<H> {
    queue: Arc<Queue>,
    processor: Processor<H, Producer>,
}

impl<H: Handler> Worker<H> {
    async fn work(self: Arc<Self>, received: Received, _room: OwnedSemaphorePermit) {
        let describe = |span: &Span| span::set(span, AWS_SQS_QUEUE_URL, self.queue.url.clone());
        let message = Message {
            creation: creation(&received),
            key: None,
            payload: received.body().unwrap_or_default().as_bytes(),
            delivery: delivery(&received),
            describe: &describe,
        };
        let work = self.processor.process(message);
        let outcome = self.while_hidden(&received, work).await;
        if let Err(reason) = self.settle(&received, outcome).await {
            let queue = &self.queue.destination.name;
            tracing::warn!(queue, reason, "not settled, the message will come again");
        }
    }

    /// Keeps the message from coming again while `work` goes on.
    async fn while_hidden(
        &self,
        received: &Received,
        work: impl Future<Output = Outcome>,
    ) -> Outcome {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                outcome = &mut work => return outcome,
                () = tokio::time::sleep(HIDE_EVERY) => {
                    if let Err(reason) = self.hide(received, HIDE_SECONDS).await {
                        tracing::warn!(reason, "a message may come again while it is worked on");
                    }
                }
            }
        }
    }

    async fn hide(&self, received: &Received, seconds: i32) -> Result<(), String> {
        let hide = self
            .queue
            .client
            .change_message_visibility()
            .queue_url(&self.queue.url);
        let hide = hide.receipt_handle(received.receipt_handle().unwrap_or_default());
        let hidden = hide.visibility_timeout(seconds).send().await;
        hidden.map(drop).map_err(|error| reason(&error))
    }

    async fn settle(&self, received: &Received, outcome: Outcome) -> Result<(), String> {
        let client = &self.queue.client;
        let handle = received.receipt_handle().unwrap_or_default();
        match outcome {
            Outcome::Settle => {
                let delete = client.delete_message().queue_url(&self.queue.url);
                let deleted = delete.receipt_handle(handle).send().await;
                deleted.map(drop).map_err(|error| reason(&error))
            }
            Outcome::Retry(delay) => self.hide(received, whole_seconds(delay)).await,
        }
    }
}

/// SQS knows no fractions: rounded up, so that a delay is never none.
fn whole_seconds(delay: Duration) -> i32 {
    i32::try_from(delay.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}

fn creation(message: &Received) -> Context {
    extract(&MetadataExtractor::of(message))
}

fn delivery(message: &Received) -> Delivery {
    let sent = number(message, &MessageSystemAttributeName::SentTimestamp);
    let attempt = number(
        message,
        &MessageSystemAttributeName::ApproximateReceiveCount,
    );
    Delivery {
        message_id: message.message_id().unwrap_or_default().to_owned(),
        attempt: attempt
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(1),
        queue_time: sent.map(|millis| span::queue_time(UNIX_EPOCH + Duration::from_millis(millis))),
    }
}

fn number(message: &Received, attribute: &MessageSystemAttributeName) -> Option<u64> {
    message.attributes()?.get(attribute)?.parse().ok()
}
