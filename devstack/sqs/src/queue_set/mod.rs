//! All queues, and what happens between them: dead letters and their way back.
//!
//! Free of clocks and waiting like [`Queue`]; a change that a waiting receiver should look at wakes it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tokio::sync::Notify;

use crate::{
    clock::Timestamp,
    error::Error,
    fifo, limits,
    message::{Accepted, Message},
    move_task::MoveTask,
    queue::{Queue, Receive, Received},
    settings::{QueueAttributes, Settings},
    text,
};

#[derive(Debug, Default)]
pub(crate) struct QueueSet {
    queues: BTreeMap<String, Slot>,
    deleted_at: HashMap<String, Timestamp>,
    pub(crate) move_tasks: Vec<MoveTask>,
}

#[derive(Debug)]
struct Slot {
    queue: Queue,
    /// Receivers that wait; they look again whenever it fires.
    changed: Arc<Notify>,
}

impl QueueSet {
    /// Creates a queue, or finds the one that has this name and these attributes.
    pub(crate) fn create(
        &mut self,
        name: &str,
        attributes: &QueueAttributes,
        tags: BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let is_fifo = attributes.get("FifoQueue").is_some_and(|is| is == "true");
        check_queue_name(name, is_fifo)?;
        if let Some(slot) = self.queues.get(name) {
            let difference = slot.queue.settings.difference(attributes)?;
            return difference.map_or(Ok(()), |name| Err(Error::QueueNameExists(name)));
        }
        self.forget_deletions(now);
        if self.deleted_at.contains_key(name) {
            return Err(Error::QueueDeletedRecently);
        }
        let defaults = if is_fifo {
            Settings::fifo()
        } else {
            Settings::default()
        };
        let settings = defaults.with(attributes)?;
        self.check_dead_letter_queue(name, &settings)?;
        let mut queue = Queue::new(settings, now);
        queue.tags = tags;
        let changed = Arc::default();
        self.queues.insert(name.to_owned(), Slot { queue, changed });
        Ok(())
    }

    fn forget_deletions(&mut self, now: Timestamp) {
        self.deleted_at
            .retain(|_, at| now < at.plus_seconds(limits::COOL_DOWN_SECONDS));
    }

    /// Changes attributes of a queue: all of them, or none if one is refused.
    pub(crate) fn set_attributes(
        &mut self,
        name: &str,
        attributes: &QueueAttributes,
        now: Timestamp,
    ) -> Result<(), Error> {
        let settings = self.get(name)?.settings.with(attributes)?;
        self.check_dead_letter_queue(name, &settings)?;
        let slot = self.slot(name)?;
        slot.queue.change_settings(settings);
        slot.queue.modified_at = now;
        slot.changed.notify_waiters();
        Ok(())
    }

    fn check_dead_letter_queue(&self, source: &str, settings: &Settings) -> Result<(), Error> {
        let Some(policy) = &settings.redrive else {
            return Ok(());
        };
        let target = self.queues.get(&policy.dead_letter_queue);
        let refuse = |reason| {
            let policy = policy.to_json();
            Err(Error::InvalidParameterValue(format!(
                "Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}."
            )))
        };
        match target {
            None => refuse("Dead letter target does not exist"),
            Some(target) if target.queue.is_fifo() != settings.fifo.is_some() => {
                refuse("Dead-letter queue must be same type of queue as the source")
            }
            Some(target) if !target.queue.settings.redrive_allow.allows(source) => {
                refuse("The dead letter target does not allow this queue to use it")
            }
            Some(_) => Ok(()),
        }
    }

    /// Deletes a queue with everything in it; who waits on it learns that it is gone.
    pub(crate) fn delete(&mut self, name: &str, now: Timestamp) -> Result<(), Error> {
        let slot = self.queues.remove(name).ok_or(Error::QueueDoesNotExist)?;
        self.deleted_at.insert(name.to_owned(), now);
        slot.changed.notify_waiters();
        Ok(())
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.queues.contains_key(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.queues.keys()
    }

    pub(crate) fn get(&self, name: &str) -> Result<&Queue, Error> {
        let slot = self.queues.get(name).ok_or(Error::QueueDoesNotExist)?;
        Ok(&slot.queue)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Result<&mut Queue, Error> {
        Ok(&mut self.slot(name)?.queue)
    }

    fn slot(&mut self, name: &str) -> Result<&mut Slot, Error> {
        self.queues.get_mut(name).ok_or(Error::QueueDoesNotExist)
    }

    /// Fires when receivers of the queue should look again.
    pub(crate) fn changed(&self, name: &str) -> Result<Arc<Notify>, Error> {
        let slot = self.queues.get(name).ok_or(Error::QueueDoesNotExist)?;
        Ok(Arc::clone(&slot.changed))
    }

    /// Adds a message from a client that becomes ready at `ready_at`.
    pub(crate) fn send(
        &mut self,
        name: &str,
        message: Message,
        ready_at: Timestamp,
        now: Timestamp,
    ) -> Result<Accepted, Error> {
        let slot = self.slot(name)?;
        let accepted = slot.queue.send(message, ready_at, now);
        slot.changed.notify_waiters();
        Ok(accepted)
    }

    /// Adds a message from another queue, which is ready at once.
    pub(crate) fn add(
        &mut self,
        name: &str,
        message: Message,
        now: Timestamp,
    ) -> Result<(), Error> {
        let slot = self.slot(name)?;
        slot.queue.add(message, now, now);
        slot.changed.notify_waiters();
        Ok(())
    }

    /// Deletes a message, which may let the next one of its group be received.
    pub(crate) fn delete_message(
        &mut self,
        name: &str,
        handle: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let slot = self.slot(name)?;
        slot.queue.delete(handle, now)?;
        slot.changed.notify_waiters();
        Ok(())
    }

    /// Hides the message for `seconds` more, or ends its invisibility.
    pub(crate) fn change_visibility(
        &mut self,
        name: &str,
        handle: &str,
        seconds: u64,
        now: Timestamp,
    ) -> Result<(), Error> {
        let slot = self.slot(name)?;
        slot.queue.change_visibility(handle, seconds, now)?;
        slot.changed.notify_waiters();
        Ok(())
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
        let policy = settings
            .redrive
            .clone()
            .filter(|policy| self.queues.contains_key(&policy.dead_letter_queue));
        let wanted = Receive {
            max,
            visibility_timeout,
            max_receive_count: policy.as_ref().map(|policy| policy.max_receive_count),
        };
        let mut received = self.get_mut(name)?.receive(wanted, now);
        if let Some(policy) = policy {
            for message in received.dead_letters.drain(..) {
                let letter = message.into_dead_letter(name, now);
                self.add(&policy.dead_letter_queue, letter, now)?;
            }
        }
        Ok(received)
    }

    /// The queues that send their dead letters to `name`.
    pub(crate) fn dead_letter_sources<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        let sends_here = move |slot: &Slot| {
            let policy = slot.queue.settings.redrive.as_ref();
            policy.is_some_and(|policy| policy.dead_letter_queue == name)
        };
        self.queues
            .iter()
            .filter(move |(_, slot)| sends_here(slot))
            .map(|(source, _)| source.as_str())
    }
}

/// The suffix of a FIFO queue counts towards the length of its name, and no other name may have it.
fn check_queue_name(name: &str, is_fifo: bool) -> Result<(), Error> {
    let (stem, reason) = if is_fifo {
        let reason = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, \
                      must end with .fifo suffix and be 1 to 80 in length";
        (name.strip_suffix(fifo::SUFFIX), reason)
    } else {
        let reason =
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        (Some(name), reason)
    };
    if stem.is_some_and(text::is_name) && name.len() <= limits::MAX_NAME {
        return Ok(());
    }
    Err(Error::InvalidParameterValue(reason.to_owned()))
}

#[cfg(test)]
mod tests;
