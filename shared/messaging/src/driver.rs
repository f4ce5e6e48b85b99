//! The core: receives, processes side by side, settles, and drains at the end. The same for every broker.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::delivery::Delivery;
use crate::error::{HandlerError, ReceiveError};
use crate::gate::Gate;
use crate::lanes::Lanes;
use crate::settings::Settings;
use crate::source::{Receipt, Received, Source};
use crate::stack::{Outcome, Process, failed_all, panicked};

/// Processes what sources give. One consumer has one, whatever the number of its sources.
pub(crate) struct Driver<P> {
    process: P,
    settings: Settings,
    gate: Gate,
    /// How many messages are processed in one call.
    at_once: usize,
}

/// Some messages of one lane are done with, for now.
struct Done {
    lane: Option<Bytes>,
    messages: usize,
    /// Those of these keys were given back, to come again after a delay.
    gave_back: HashSet<Bytes>,
    delay: Duration,
}

impl<P: Process> Driver<P> {
    /// `batches`: whether `process` gets several messages at once, in the order of their source, and one batch after
    /// the other.
    pub(crate) fn new(process: P, settings: &Settings, batches: bool) -> Arc<Self> {
        Arc::new(Self {
            process,
            settings: settings.clone(),
            gate: Gate::new(),
            at_once: if batches { settings.batch_size } else { 1 },
        })
    }

    /// How many messages of SQS and Pub/Sub may be in hand.
    pub(crate) fn capacity(&self) -> usize {
        self.settings.concurrency.max(self.at_once)
    }

    /// Works on all that `source` gives until `stop`, then finishes what is in hand within the drain time-out.
    pub(crate) async fn drive<S: Source>(
        self: Arc<Self>,
        mut source: S,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        // Messages that wait for their next attempt have no part in it.
        let calls = Semaphore::new(self.settings.concurrency);
        let mut lanes = Lanes::new();
        let mut working = FuturesUnordered::new();
        let mut stopped = std::pin::pin!(stop.cancelled());
        let ended = loop {
            while let Some((lane, messages)) = lanes.start(self.at_once) {
                working.push(self.work(lane, messages, &calls, &stop));
            }
            let room = source.room(lanes.in_hand());
            tokio::select! {
                biased;
                () = &mut stopped => break Ok(()),
                Some(done) = working.next() => settle_lane(&mut lanes, done),
                received = self.receive(&mut source, room), if room > 0 => match received {
                    Ok(received) => self.sort(&source, &mut lanes, received),
                    Err(error) => break Err(error),
                },
            }
        };
        drop(lanes.take_all_waiting());
        let drain = async {
            let mut closing = std::pin::pin!(source.close());
            let mut closed = false;
            while !closed || !working.is_empty() {
                tokio::select! {
                    // These wait for nobody: whatever was before them in their lane is not begun any more.
                    last = &mut closing, if !closed => {
                        closed = true;
                        for received in last {
                            working.push(self.work(None, vec![received], &calls, &stop));
                        }
                    }
                    Some(_) = working.next() => {}
                }
            }
        };
        let drained = tokio::time::timeout(self.settings.drain_timeout, drain).await;
        if drained.is_err() {
            tracing::warn!(
                unfinished = working.len(),
                "not waiting any longer, what is in hand will come again"
            );
        }
        ended
    }

    async fn receive<S: Source>(
        &self,
        source: &mut S,
        room: usize,
    ) -> Result<Vec<Received<S::Receipt>>, ReceiveError> {
        let room = self.gate.admits(room).await;
        source.receive(room).await
    }

    fn sort<S: Source>(
        &self,
        source: &S,
        lanes: &mut Lanes<Received<S::Receipt>>,
        received: Vec<Received<S::Receipt>>,
    ) {
        for (delivery, receipt) in received {
            let lane = if self.at_once > 1 {
                Some(Bytes::new())
            } else {
                source.lane(&delivery)
            };
            lanes.push(lane, (delivery, receipt));
        }
    }

    /// Processes messages until none of them has to stay here.
    async fn work<R: Receipt>(
        &self,
        lane: Option<Bytes>,
        mut messages: Vec<Received<R>>,
        calls: &Semaphore,
        stop: &CancellationToken,
    ) -> Done {
        let mut done = Done {
            lane,
            messages: messages.len(),
            gave_back: HashSet::new(),
            delay: Duration::ZERO,
        };
        for tries in 1.. {
            let batch = messages.iter().map(|(delivery, _)| delivery.clone());
            let call = calls.acquire().await;
            let outcomes = self.call(batch.collect()).await;
            drop(call);
            let unsettled = self.settle(messages, outcomes, tries);
            done.gave_back.extend(unsettled.gave_back);
            done.delay = done.delay.max(unsettled.delay);
            if unsettled.kept.is_empty() {
                break;
            }
            let wait = tokio::time::sleep(unsettled.delay);
            if stop.run_until_cancelled(wait).await.is_none() {
                // They are given back as they are dropped.
                break;
            }
            messages = unsettled.kept;
        }
        done
    }

    /// A panic in a layer that nobody caught must not take the consumer with it.
    async fn call(&self, batch: Vec<Delivery>) -> Vec<Outcome> {
        let expected = batch.len();
        let call = self.process.clone().oneshot(batch);
        let outcomes = match AssertUnwindSafe(call).catch_unwind().await {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(error)) => failed_all(expected, error.into()),
            Err(panic) => failed_all(expected, panicked(panic.as_ref()).into()),
        };
        if outcomes.len() == expected {
            return outcomes;
        }
        let answers = outcomes.len();
        tracing::error!(expected, answers, "not one outcome for each message");
        failed_all(
            expected,
            "the handler did not answer for each message".into(),
        )
    }

    /// Settles what can be, and keeps what must be tried again here.
    fn settle<R: Receipt>(
        &self,
        messages: Vec<Received<R>>,
        outcomes: Vec<Outcome>,
        tries: u32,
    ) -> Unsettled<R> {
        let mut unsettled = Unsettled::default();
        for ((delivery, receipt), outcome) in messages.into_iter().zip(outcomes) {
            if unsettled.holds_up(&delivery) {
                unsettled.give_back(&delivery, receipt, Duration::ZERO, true);
                continue;
            }
            let error = match outcome {
                Outcome::Failed(error) => error,
                Outcome::Processed | Outcome::DeadLettered(_) => {
                    self.gate.open();
                    receipt.ack();
                    continue;
                }
            };
            self.not_processed(&delivery, receipt, &error, tries, &mut unsettled);
        }
        unsettled
    }

    fn not_processed<R: Receipt>(
        &self,
        delivery: &Delivery,
        receipt: R,
        error: &HandlerError,
        tries: u32,
        unsettled: &mut Unsettled<R>,
    ) {
        let (attempt, reason) = (delivery.attempt(), format!("{error:#}"));
        match error {
            HandlerError::Reject(_) => {
                tracing::error!(
                    attempt,
                    reason,
                    "rejected, and there is no place for dead letters"
                );
                receipt.ack();
            }
            HandlerError::Retry(_) => {
                let delay = self.settings.backoff.delay(delivery.counted_attempts());
                tracing::warn!(attempt, delay_ms = delay.as_millis(), reason, "will retry");
                unsettled.give_back(delivery, receipt, delay, true);
            }
            HandlerError::Unavailable(_) => {
                let delay = self.settings.backoff.delay(tries);
                tracing::warn!(
                    attempt,
                    delay_ms = delay.as_millis(),
                    reason,
                    "unavailable, will try again"
                );
                self.gate.close(delay);
                unsettled.keep(delivery, receipt, delay, false);
            }
        }
    }
}

/// What of a batch is not done with.
struct Unsettled<R> {
    /// To be tried again here, after the delay.
    kept: Vec<Received<R>>,
    /// The longest of those that are asked for.
    delay: Duration,
    gave_back: HashSet<Bytes>,
    /// What comes after a message of its key that has to come again comes again too.
    stuck: HashSet<Bytes>,
}

impl<R: Receipt> Unsettled<R> {
    fn holds_up(&self, delivery: &Delivery) -> bool {
        delivery.key().is_some_and(|key| self.stuck.contains(key))
    }

    fn give_back(&mut self, delivery: &Delivery, receipt: R, delay: Duration, counted: bool) {
        if R::RETRIES_IN_PLACE {
            return self.keep(delivery, receipt, delay, counted);
        }
        self.stuck.extend(delivery.key().cloned());
        self.gave_back.extend(delivery.key().cloned());
        self.delay = self.delay.max(delay);
        receipt.retry(delay);
    }

    fn keep(&mut self, delivery: &Delivery, receipt: R, delay: Duration, counted: bool) {
        self.stuck.extend(delivery.key().cloned());
        self.delay = self.delay.max(delay);
        self.kept.push((delivery.next_attempt(counted), receipt));
    }
}

impl<R> Default for Unsettled<R> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            delay: Duration::ZERO,
            gave_back: HashSet::new(),
            stuck: HashSet::new(),
        }
    }
}

/// What waits behind a message of its key that was given back goes back too: it must not overtake it.
fn settle_lane<R: Receipt>(lanes: &mut Lanes<Received<R>>, done: Done) {
    if let Some(lane) = &done.lane
        && !done.gave_back.is_empty()
    {
        let is_behind = |(delivery, _): &Received<R>| {
            let key = delivery.key();
            key.is_some_and(|key| done.gave_back.contains(key))
        };
        for (_, receipt) in lanes.take_waiting(lane, is_behind) {
            receipt.retry(done.delay);
        }
    }
    lanes.finish(done.lane, done.messages);
}

#[cfg(test)]
mod tests;
