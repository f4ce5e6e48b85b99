//! The messages, in memory, oldest first.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::Value;

use crate::email::{self, Envelope};

/// How much is kept before the oldest messages go.
#[derive(Debug, Clone, Copy)]
struct Limits {
    messages: usize,
    bytes: usize,
}

/// A message with the two forms in which it is asked for most.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) email: Value,
    /// Serialised once: a list of thousands is then a matter of copying bytes.
    pub(crate) json: Bytes,
    /// As it came over the wire, dot-stuffing removed.
    pub(crate) source: Bytes,
}

impl Kept {
    fn size(&self) -> usize {
        self.json.len() + self.source.len()
    }
}

#[derive(Debug)]
pub(crate) struct Mailbox {
    limits: Limits,
    next_id: AtomicU64,
    messages: Mutex<Messages>,
}

#[derive(Debug, Default)]
struct Messages {
    kept: VecDeque<Arc<Kept>>,
    bytes: usize,
    dropped: u64,
}

/// What was in the mailbox at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) messages: Vec<Arc<Kept>>,
    /// Messages that had to make room since the start.
    pub(crate) dropped: u64,
}

impl Default for Mailbox {
    /// 20 000 messages or 64 MiB, whichever comes first.
    fn default() -> Self {
        Self::new(Limits {
            messages: 20_000,
            bytes: 64 * 1024 * 1024,
        })
    }
}

impl Mailbox {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            next_id: AtomicU64::new(1),
            messages: Mutex::default(),
        }
    }

    /// Keeps a message, however malformed, and returns its id.
    pub(crate) fn keep(&self, envelope: &Envelope, source: Vec<u8>) -> String {
        let id = format!("{:08}", self.next_id.fetch_add(1, Ordering::Relaxed));
        let email = email::parse(&id, envelope, &source);
        let kept = Kept {
            id: id.clone(),
            json: email.to_string().into(),
            email,
            source: source.into(),
        };
        self.lock().push(kept, self.limits);
        id
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let messages = self.lock();
        Snapshot {
            messages: messages.kept.iter().cloned().collect(),
            dropped: messages.dropped,
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Kept>> {
        self.lock().kept.iter().find(|kept| kept.id == id).cloned()
    }

    /// Returns whether there was such a message.
    pub(crate) fn delete(&self, id: &str) -> bool {
        let mut messages = self.lock();
        let Some(at) = messages.kept.iter().position(|kept| kept.id == id) else {
            return false;
        };
        let removed = messages.kept.remove(at);
        messages.bytes -= removed.map_or(0, |kept| kept.size());
        true
    }

    pub(crate) fn clear(&self) {
        let mut messages = self.lock();
        messages.kept.clear();
        messages.bytes = 0;
    }

    /// No code panics while it holds the lock, so a poisoned one still guards whole data.
    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Messages {
    /// The newest message stays even if it alone is over the limit.
    fn push(&mut self, message: Kept, limits: Limits) {
        self.bytes += message.size();
        self.kept.push_back(Arc::new(message));
        while self.kept.len() > 1
            && (self.kept.len() > limits.messages || self.bytes > limits.bytes)
        {
            let oldest = self.kept.pop_front();
            self.bytes -= oldest.map_or(0, |kept| kept.size());
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(messages: usize, bytes: usize) -> Mailbox {
        Mailbox::new(Limits { messages, bytes })
    }

    fn keep(mailbox: &Mailbox, source: &str) -> String {
        mailbox.keep(&Envelope::default(), source.into())
    }

    fn ids(mailbox: &Mailbox) -> Vec<String> {
        mailbox
            .snapshot()
            .messages
            .iter()
            .map(|kept| kept.id.clone())
            .collect()
    }

    #[test]
    fn drops_the_oldest_message_and_counts_it() {
        let mailbox = mailbox(2, usize::MAX);
        let sent: Vec<_> = (0..5)
            .map(|_| keep(&mailbox, "Subject: x\r\n\r\n"))
            .collect();
        assert_eq!(ids(&mailbox), sent[3..]);
        assert_eq!(mailbox.snapshot().dropped, 3);
        assert!(mailbox.get(&sent[0]).is_none());
    }

    #[test]
    fn stays_within_its_bytes_but_keeps_the_newest_message() {
        let mailbox = mailbox(100, 4096);
        keep(&mailbox, "Subject: small\r\n\r\n");
        let large = keep(&mailbox, &"x".repeat(100_000));
        assert_eq!(ids(&mailbox), [large]);
        let small = keep(&mailbox, "Subject: small\r\n\r\n");
        assert_eq!(ids(&mailbox), [small]);
    }

    #[test]
    fn deleting_makes_room_again() {
        let mailbox = mailbox(2, usize::MAX);
        let first = keep(&mailbox, "a");
        let second = keep(&mailbox, "b");
        assert!(mailbox.delete(&first));
        assert!(!mailbox.delete(&first));
        let third = keep(&mailbox, "c");
        assert_eq!(ids(&mailbox), [second, third]);
        mailbox.clear();
        assert!(ids(&mailbox).is_empty());
        assert_eq!(mailbox.lock().bytes, 0);
        assert_eq!(mailbox.snapshot().dropped, 0);
    }
}
