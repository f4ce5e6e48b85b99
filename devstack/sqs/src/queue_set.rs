//! All queues, and what happens between them: dead letters.
//!
//! Free of clocks and waiting like [`Queue`].

use std::collections::BTreeMap;

use anyhow::{Context, ensure};

use crate::{
    clock::Timestamp,
    config::{QueueConfig, Queues},
    error::Error,
    queue::{Queue, Receive, Received},
};

#[derive(Debug, Default)]
pub(crate) struct QueueSet(BTreeMap<String, Queue>);

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
            if let Some(redrive) = &queue.redrive {
                let (dead, name) = (&redrive.dead_letter_queue, &queue.name);
                let about = || format!("dead-letter queue {dead} of {name}");
                let letters = queues.get(dead).with_context(about)?;
                let is_alike = letters.config.is_fifo() == queue.is_fifo();
                ensure!(is_alike, "{} is of another type", about());
            }
        }
        Ok(queues)
    }

    /// Creates a queue, unless there is one of this name.
    pub(crate) fn create(&mut self, config: QueueConfig) -> Result<(), Error> {
        config.check()?;
        let queue = self.0.entry(config.name.clone());
        queue.or_insert_with(|| Queue::new(config));
        Ok(())
    }

    /// Deletes a queue with everything in it.
    pub(crate) fn delete(&mut self, name: &str) -> Result<(), Error> {
        let deleted = self.0.remove(name);
        deleted.map(drop).ok_or(Error::QueueDoesNotExist)
    }

    pub(crate) fn get(&mut self, name: &str) -> Result<&mut Queue, Error> {
        self.0.get_mut(name).ok_or(Error::QueueDoesNotExist)
    }

    /// Hands out messages of a queue, and moves those received too often to its dead-letter queue.
    pub(crate) fn receive(
        &mut self,
        name: &str,
        wanted: Receive,
        now: Timestamp,
    ) -> Result<Received, Error> {
        // A policy whose dead-letter queue was deleted loses no message: delivery goes on.
        let policy = self.get(name)?.config.redrive.clone();
        let policy = policy.filter(|policy| self.0.contains_key(&policy.dead_letter_queue));
        let most = policy.as_ref().map(|policy| policy.max_receive_count);
        let received = self.get(name)?.receive(wanted, most, now);
        if let Some(policy) = policy {
            let letters = self.get(&policy.dead_letter_queue)?;
            for message in &received.dead_letters {
                let letter = message.clone().into_dead_letter(name, now);
                letters.add(letter, now, now);
            }
        }
        Ok(received)
    }
}

#[cfg(test)]
mod tests;
