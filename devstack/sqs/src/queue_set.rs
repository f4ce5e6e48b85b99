//! All queues, and what happens between them: dead letters.
//!
//! Free of clocks and waiting like [`Queue`]; a change that a waiting receiver should look at wakes it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use anyhow::Context;
use tokio::sync::Notify;

use crate::{
    clock::Timestamp,
    config::{QueueConfig, Queues},
    error::Error,
    limits,
    queue::{Queue, Receive, Received},
    redrive::RedrivePolicy,
    settings::{FIFO_SUFFIX, QueueAttributes, Settings},
};

#[derive(Debug, Default)]
pub(crate) struct QueueSet {
    queues: BTreeMap<String, Slot>,
    deleted_at: HashMap<String, Timestamp>,
}

#[derive(Debug)]
struct Slot {
    queue: Queue,
    /// Receivers that wait; they look again whenever it fires.
    changed: Arc<Notify>,
}

impl QueueSet {
    /// The queues of `config`, or the reason why one of them cannot be.
    pub(crate) fn of(config: &Queues, now: Timestamp) -> anyhow::Result<Self> {
        let mut queues = Self::default();
        for queue in &config.0 {
            let settings = Settings::of_new_queue(&queue.name, &attributes(queue));
            let settings = settings.with_context(|| format!("creating queue {}", queue.name))?;
            queues.insert(&queue.name, settings, now);
        }
        // Looked up at the end, since a dead-letter queue may come after the queues that name it.
        for (name, slot) in &queues.queues {
            let found = queues.check_dead_letter_queue(&slot.queue.settings);
            found.with_context(|| format!("setting the redrive policy of queue {name}"))?;
        }
        Ok(queues)
    }

    /// Creates a queue, or finds the one that has this name and these attributes.
    pub(crate) fn create(
        &mut self,
        name: &str,
        attributes: &QueueAttributes,
        now: Timestamp,
    ) -> Result<(), Error> {
        let settings = Settings::of_new_queue(name, attributes)?;
        if let Some(slot) = self.queues.get(name) {
            let there = &slot.queue.settings;
            let is_same = there.with(attributes)? == *there;
            return is_same.then_some(()).ok_or(Error::QueueNameExists);
        }
        self.deleted_at
            .retain(|_, at| now < at.plus_seconds(limits::COOL_DOWN_SECONDS));
        if self.deleted_at.contains_key(name) {
            return Err(Error::QueueDeletedRecently);
        }
        self.check_dead_letter_queue(&settings)?;
        self.insert(name, settings, now);
        Ok(())
    }

    fn insert(&mut self, name: &str, settings: Settings, now: Timestamp) {
        let queue = Queue::new(settings, now);
        let changed = Arc::default();
        self.queues.insert(name.to_owned(), Slot { queue, changed });
    }

    fn check_dead_letter_queue(&self, settings: &Settings) -> Result<(), Error> {
        let Some(policy) = &settings.redrive else {
            return Ok(());
        };
        let reason = match self.get(&policy.dead_letter_queue) {
            Err(_missing) => "Dead letter target does not exist",
            Ok(target) if target.settings.is_fifo != settings.is_fifo => {
                "Dead-letter queue must be same type of queue as the source"
            }
            Ok(_) => return Ok(()),
        };
        let policy = policy.to_json();
        Err(Error::InvalidParameterValue(format!(
            "Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}."
        )))
    }

    /// Deletes a queue with everything in it; who waits on it learns that it is gone.
    pub(crate) fn delete(&mut self, name: &str, now: Timestamp) -> Result<(), Error> {
        let slot = self.queues.remove(name).ok_or(Error::QueueDoesNotExist)?;
        self.deleted_at.insert(name.to_owned(), now);
        slot.changed.notify_waiters();
        Ok(())
    }

    pub(crate) fn get(&self, name: &str) -> Result<&Queue, Error> {
        let slot = self.queues.get(name).ok_or(Error::QueueDoesNotExist)?;
        Ok(&slot.queue)
    }

    /// Lets `change` do something to a queue, after which its receivers look again.
    pub(crate) fn change<T>(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut Queue) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let slot = self.queues.get_mut(name).ok_or(Error::QueueDoesNotExist)?;
        let changed = change(&mut slot.queue)?;
        slot.changed.notify_waiters();
        Ok(changed)
    }

    /// Fires when receivers of the queue should look again.
    pub(crate) fn changed(&self, name: &str) -> Result<Arc<Notify>, Error> {
        let slot = self.queues.get(name).ok_or(Error::QueueDoesNotExist)?;
        Ok(Arc::clone(&slot.changed))
    }

    /// Hands out messages of a queue, and moves those received too often to its dead-letter queue.
    ///
    /// `visibility_timeout` in seconds; `None` is the queue's own.
    pub(crate) fn receive(
        &mut self,
        name: &str,
        max: usize,
        visibility_timeout: Option<u64>,
        now: Timestamp,
    ) -> Result<Received, Error> {
        let settings = &self.get(name)?.settings;
        let visibility_timeout = visibility_timeout.unwrap_or(settings.visibility_timeout);
        // A policy whose dead-letter queue was deleted loses no message: delivery goes on.
        let policy = settings.redrive.clone();
        let policy = policy.filter(|policy| self.queues.contains_key(&policy.dead_letter_queue));
        let wanted = Receive {
            max,
            visibility_timeout,
            max_receive_count: policy.as_ref().map(|policy| policy.max_receive_count),
        };
        let slot = self.queues.get_mut(name).ok_or(Error::QueueDoesNotExist)?;
        let mut received = slot.queue.receive(wanted, now);
        if let Some(policy) = policy {
            for message in received.dead_letters.drain(..) {
                let letter = message.into_dead_letter(name, now);
                self.change(&policy.dead_letter_queue, |queue| {
                    Ok(queue.add(letter, now, now))
                })?;
            }
        }
        Ok(received)
    }
}

fn attributes(queue: &QueueConfig) -> QueueAttributes {
    let seconds = queue.visibility_timeout.as_secs().to_string();
    let policy = queue.redrive.as_ref().map(|redrive| RedrivePolicy {
        dead_letter_queue: redrive.dead_letter_queue.clone(),
        max_receive_count: redrive.max_receive_count,
    });
    let is_fifo = queue.name.ends_with(FIFO_SUFFIX);
    let attributes = [
        ("VisibilityTimeout", Some(seconds)),
        ("RedrivePolicy", policy.map(|policy| policy.to_json())),
        ("FifoQueue", is_fifo.then(|| "true".to_owned())),
    ];
    let given = attributes.into_iter();
    given
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

#[cfg(test)]
mod tests;
