use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_sqs::Config;
use aws_sdk_sqs::types::{Message as Raw, MessageSystemAttributeName};
use bytes::Bytes;
use futures::future::BoxFuture;
use otel_carriers::sqs::MetadataExtractor;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::lease::Leases;
use super::producer::{Queue, headers};
use super::settle::{Settlement, Settlements, settle};
use super::{MAX_BATCH, class, reason, timeouts, whole_seconds};
use crate::consumer::Receive;
use crate::context::extract;
use crate::delivery::{Delivery, Message, Origin};
use crate::driver::Driver;
use crate::error::ReceiveError;
use crate::settings::Settings;
use crate::source::{Receipt, Received, Source};
use crate::span;
use crate::stack::Process;

/// How long to wait after a receive failed.
const PAUSE: Duration = Duration::from_secs(1);
/// What an answer may take longer than the wait that was asked for.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// More receivers than this only cost requests.
const MAX_RECEIVERS: usize = 4;

/// Several receivers of one queue: one waits for messages, the others help when there are many.
#[derive(Debug)]
pub struct Receivers {
    queue: Arc<Queue>,
    settings: Settings,
}

impl Receivers {
    pub(super) fn new(queue: Arc<Queue>, settings: &Settings) -> Self {
        Self {
            queue,
            settings: settings.clone(),
        }
    }
}

impl Receive for Receivers {
    async fn receive<P: Process>(
        self,
        driver: Arc<Driver<P>>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        let (settlements, unsettled) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            queue: self.queue.clone(),
            settings: self.settings.clone(),
            settlements: settlements.downgrade(),
            leases: Leases::default(),
            many: Notify::new(),
            stopping: AtomicBool::new(false),
        });
        let (queue, leases) = (self.queue.clone(), shared.leases.clone());
        let lease = self.settings.lease;
        let mut extending = JoinSet::new();
        extending.spawn(async move { leases.extend(&queue, lease).await });
        let queue = self.queue.clone();
        let mut settling = JoinSet::new();
        settling.spawn(async move { settle(&queue, unsettled).await });

        let received = receive_all(&shared, &driver, settlements, &stop).await;
        // The leases go on until then, and the last deletions are waited for.
        let settled = tokio::time::timeout(ANSWER_WITHIN, settling.join_all()).await;
        if settled.is_err() {
            tracing::warn!("not everything was deleted in time, it will come again");
        }
        received
    }
}

async fn receive_all<P: Process>(
    shared: &Arc<Shared>,
    driver: &Arc<Driver<P>>,
    settlements: Settlements,
    stop: &CancellationToken,
) -> Result<(), ReceiveError> {
    let capacity = driver.capacity();
    let receivers = (capacity / MAX_BATCH).clamp(1, MAX_RECEIVERS);
    // One that fails for good takes the others along.
    let stop = stop.child_token();
    let mut tasks = JoinSet::new();
    for number in 0..receivers {
        let receiver = Receiver {
            shared: shared.clone(),
            settlements: settlements.clone(),
            capacity: capacity / receivers + usize::from(number < capacity % receivers),
            helper: number > 0,
            request: None,
        };
        tasks.spawn(driver.clone().drive(receiver, stop.clone()));
    }
    drop(settlements);
    let mut received = Ok(());
    while let Some(ended) = tasks.join_next().await {
        stop.cancel();
        let ended = ended.unwrap_or_else(|panic| Err(error(&shared.queue, panic.to_string())));
        received = received.and(ended);
    }
    received
}

/// What the receivers of one consumer share.
struct Shared {
    queue: Arc<Queue>,
    settings: Settings,
    settlements: mpsc::WeakUnboundedSender<Settlement>,
    leases: Leases,
    /// A receive came back full: one more receiver will find something.
    many: Notify,
    stopping: AtomicBool,
}

/// One receive request at a time.
struct Receiver {
    shared: Arc<Shared>,
    settlements: Settlements,
    capacity: usize,
    /// Waits until another receiver has found a full batch.
    helper: bool,
    /// It is never cut off: SQS would go on and hand messages to nobody.
    request: Option<BoxFuture<'static, Result<Vec<Raw>, ReceiveError>>>,
}

impl Source for Receiver {
    type Receipt = Handle;

    /// A receive for one or two messages while the rest is busy would cost as much as one for ten.
    fn room(&self, in_hand: usize) -> usize {
        let room = self.capacity.saturating_sub(in_hand);
        let worth_it = MAX_BATCH.min(self.capacity).div_ceil(2);
        if self.request.is_some() || room >= worth_it {
            room
        } else {
            0
        }
    }

    async fn receive(&mut self, room: usize) -> Result<Vec<Received<Handle>>, ReceiveError> {
        let asked = SystemTime::now();
        if self.helper && self.request.is_none() {
            self.shared.many.notified().await;
        }
        let shared = &self.shared;
        let request = self
            .request
            .get_or_insert_with(|| Box::pin(shared.clone().ask(room.min(MAX_BATCH))));
        let answer = request.await;
        self.request = None;
        let messages = answer?;
        if messages.len() >= MAX_BATCH {
            self.shared.many.notify_one();
        }
        let received = self.take(messages);
        span::receive(asked, received.iter().map(|(delivery, _)| delivery));
        Ok(received)
    }

    /// Only FIFO queues have an order; the groups of a standard queue are about fairness.
    fn lane(&self, delivery: &Delivery) -> Option<Bytes> {
        if self.shared.queue.is_fifo {
            delivery.key().cloned()
        } else {
            None
        }
    }

    async fn close(&mut self) -> Vec<Received<Handle>> {
        self.shared.stopping.store(true, Ordering::Relaxed);
        let Some(request) = self.request.take() else {
            return Vec::new();
        };
        let last = request.await.unwrap_or_default();
        self.take(last)
    }
}

impl Receiver {
    fn take(&self, messages: Vec<Raw>) -> Vec<Received<Handle>> {
        let received_at = SystemTime::now();
        let taken = messages.into_iter().map(|message| {
            let handle = message.receipt_handle().unwrap_or_default().to_owned();
            self.shared.leases.begin(&handle);
            let receipt = Handle {
                receipt: Some(handle),
                leases: self.shared.leases.clone(),
                settlements: self.settlements.clone(),
            };
            (delivery(&self.shared.queue, message, received_at), receipt)
        });
        taken.collect()
    }
}

impl Shared {
    /// Asks until there is an answer, or an error that does not heal by itself.
    async fn ask(self: Arc<Self>, most: usize) -> Result<Vec<Raw>, ReceiveError> {
        let began = tokio::time::Instant::now();
        loop {
            let answer = self.receive_message(most).await;
            let (code, reason) = match answer {
                Ok(messages) => return Ok(messages),
                Err(failed) => failed,
            };
            if self.stopping.load(Ordering::Relaxed) || self.settlements.strong_count() == 0 {
                return Ok(Vec::new());
            }
            if !heals(&code) && began.elapsed() >= self.settings.fatal_after {
                return Err(error(&self.queue, reason));
            }
            let queue = &self.queue.destination.name;
            tracing::warn!(queue, reason, "cannot receive, will try again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn receive_message(&self, most: usize) -> Result<Vec<Raw>, (String, String)> {
        let wait = self.settings.long_poll;
        let within = timeouts(wait + ANSWER_WITHIN);
        let answer = self
            .queue
            .client
            .receive_message()
            .queue_url(&*self.queue.url)
            .max_number_of_messages(i32::try_from(most).unwrap_or(1))
            .wait_time_seconds(whole_seconds(wait).clamp(0, 20))
            .visibility_timeout(whole_seconds(self.settings.lease))
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .customize()
            .config_override(Config::builder().timeout_config(within))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.messages.unwrap_or_default()),
            Err(error) => Err((class(&error), reason(&error))),
        }
    }
}

/// Codes of the query protocol carry a prefix.
fn heals(code: &str) -> bool {
    let code = code.rsplit('.').next().unwrap_or_default();
    !matches!(
        code,
        "QueueDoesNotExist"
            | "NonExistentQueue"
            | "AccessDenied"
            | "AccessDeniedException"
            | "InvalidSecurity"
            | "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
            | "InvalidAddress"
    )
}

fn error(queue: &Queue, reason: String) -> ReceiveError {
    ReceiveError {
        destination: queue.destination.name.clone(),
        reason,
    }
}

/// A message in hand, by its receipt handle.
pub(super) struct Handle {
    receipt: Option<String>,
    leases: Leases,
    settlements: Settlements,
}

impl Handle {
    fn settle(&mut self, settlement: impl FnOnce(String) -> Settlement) {
        if let Some(handle) = self.receipt.take() {
            self.leases.end(&handle);
            // The other end is there as long as there is one to send.
            self.settlements.send(settlement(handle)).ok();
        }
    }
}

impl Receipt for Handle {
    const RETRIES_IN_PLACE: bool = false;

    fn ack(mut self) {
        self.settle(Settlement::Delete);
    }

    fn retry(mut self, after: Duration) {
        let seconds = whole_seconds(after);
        self.settle(|handle| Settlement::ChangeVisibility(handle, seconds));
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.settle(|handle| Settlement::ChangeVisibility(handle, 0));
    }
}

fn delivery(queue: &Queue, message: Raw, received_at: SystemTime) -> Delivery {
    let sent_at = time(&message, &MessageSystemAttributeName::SentTimestamp);
    let first = time(
        &message,
        &MessageSystemAttributeName::ApproximateFirstReceiveTimestamp,
    );
    let attempt = text(
        &message,
        &MessageSystemAttributeName::ApproximateReceiveCount,
    );
    let attempt = attempt.and_then(|count| count.parse().ok()).unwrap_or(1);
    let group = text(&message, &MessageSystemAttributeName::MessageGroupId);
    let sequence_number = text(&message, &MessageSystemAttributeName::SequenceNumber);
    let delivered = Message {
        destination: queue.destination.clone(),
        id: message.message_id().unwrap_or_default().to_owned(),
        key: group.map(|group| Bytes::copy_from_slice(group.as_bytes())),
        headers: headers(&message),
        sent_at,
        received_at,
        // Both by the clock of SQS; later attempts waited for other reasons too.
        queue_time: sent_at.map(|sent| span::queue_time(sent, first.unwrap_or(received_at))),
        context: extract(&MetadataExtractor::of(&message)),
        origin: Origin::Sqs {
            queue_url: queue.url.clone(),
            sequence_number: sequence_number.map(str::to_owned),
        },
        payload: message.body.map(Bytes::from),
    };
    Delivery::new(delivered, attempt)
}

fn text<'a>(message: &'a Raw, attribute: &MessageSystemAttributeName) -> Option<&'a str> {
    let value = message.attributes()?.get(attribute)?;
    Some(value.as_str()).filter(|value| !value.is_empty())
}

fn time(message: &Raw, attribute: &MessageSystemAttributeName) -> Option<SystemTime> {
    let millis = text(message, attribute)?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::from_millis(millis))
}
