//! All queues, and what happens between them: dead letters.
//!
//! Free of clocks and waiting like [`Queue`]; a change that a waiting receiver should look at wakes it.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, ensure};
use tokio::sync::Notify;

use crate::{
    clock::Timestamp,
    config::{QueueConfig, Queues, Redrive},
    error::Error,
    queue::{Queue, Receive, Received},
};

#[derive(Debug, Default)]
pub(crate) struct QueueSet {
    queues: BTreeMap<String, Slot>,
}

#[derive(Debug)]
struct Slot {
    queue: Queue,
    /// Receivers that wait; they look again whenever it fires.
    changed: Arc<Notify>,
}

impl QueueSet {
    /// The queues of `config`, or the reason why one of them cannot be.
    pub(crate) fn of(config: &Queues) -> anyhow::Result<Self> {
        let mut queues = Self::default();
        for queue in &config.0 {
            let created = queues.create(queue.clone());
            created.with_context(|| format!("creating queue {}", queue.name))?;
        }
        // Looked up at the end, since a dead-letter queue may come after the queues that name it.
        for queue in &config.0 {
            queues.check_dead_letter_queue(queue)?;
        }
        Ok(queues)
    }

    fn check_dead_letter_queue(&self, queue: &QueueConfig) -> anyhow::Result<()> {
        let Some(Redrive {
            dead_letter_queue, ..
        }) = &queue.redrive
        else {
            return Ok(());
        };
        let letters = self.get(dead_letter_queue);
        let letters = letters
            .with_context(|| format!("dead-letter queue {dead_letter_queue} of {}", queue.name))?;
        ensure!(
            letters.config.is_fifo() == queue.is_fifo(),
            "dead-letter queue {dead_letter_queue} of {} is of another type",
            queue.name
        );
        Ok(())
    }

    /// Creates a queue, unless there is one of this name.
    pub(crate) fn create(&mut self, config: QueueConfig) -> Result<(), Error> {
        config.check()?;
        let slot = self.queues.entry(config.name.clone());
        slot.or_insert_with(|| Slot {
            queue: Queue::new(config),
            changed: Arc::default(),
        });
        Ok(())
    }

    /// Deletes a queue with everything in it; who waits on it learns that it is gone.
    pub(crate) fn delete(&mut self, name: &str) -> Result<(), Error> {
        let slot = self.queues.remove(name).ok_or(Error::QueueDoesNotExist)?;
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
        let config = &self.get(name)?.config;
        let own_timeout = config.visibility_timeout.as_secs();
        // A policy whose dead-letter queue was deleted loses no message: delivery goes on.
        let policy = config.redrive.clone();
        let policy = policy.filter(|policy| self.queues.contains_key(&policy.dead_letter_queue));
        let wanted = Receive {
            max,
            visibility_timeout: visibility_timeout.unwrap_or(own_timeout),
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

#[cfg(test)]
mod tests;
