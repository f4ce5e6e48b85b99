//! The messages that a topic keeps, in a bounded space.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;

use crate::message;
use crate::proto::PubsubMessage;

/// Bytes of all messages of a topic, and their number: beyond either, the oldest go before their time.
/// Everything is in memory here, and the shortest retention is ten minutes.
const MAX_BYTES: usize = 32 * 1024 * 1024;
const MAX_MESSAGES: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Retained {
    /// In the order of publishing.
    messages: VecDeque<(Instant, Arc<PubsubMessage>)>,
    bytes: usize,
}

impl Retained {
    pub(super) fn push(&mut self, message: Arc<PubsubMessage>, published: Instant) {
        self.bytes += message::size(&message);
        self.messages.push_back((published, message));
        while self.bytes > MAX_BYTES || self.messages.len() > MAX_MESSAGES {
            self.pop();
        }
    }

    /// Drops the messages whose time of publishing `is_over`.
    pub(super) fn forget(&mut self, is_over: impl Fn(Instant) -> bool) {
        while self
            .messages
            .front()
            .is_some_and(|(published, _)| is_over(*published))
        {
            self.pop();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Instant, Arc<PubsubMessage>)> {
        self.messages.iter().cloned()
    }

    fn pop(&mut self) {
        if let Some((_, message)) = self.messages.pop_front() {
            self.bytes -= message::size(&message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: usize, bytes: usize) -> Arc<PubsubMessage> {
        Arc::new(PubsubMessage {
            message_id: id.to_string(),
            data: vec![b'x'; bytes].into(),
            ..PubsubMessage::default()
        })
    }

    /// The first id and the number of what is kept of `count` messages of this size.
    fn kept_of(count: usize, bytes: usize) -> (String, usize) {
        let mut retained = Retained::default();
        for id in 0..count {
            retained.push(message(id, bytes), Instant::now());
        }
        let (_, first) = retained.iter().next().unwrap();
        (first.message_id.clone(), retained.iter().count())
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        assert_eq!(kept_of(MAX_MESSAGES, 1), ("0".to_owned(), MAX_MESSAGES));
        assert_eq!(kept_of(MAX_MESSAGES + 2, 1), ("2".to_owned(), MAX_MESSAGES));
    }

    #[test]
    fn the_oldest_go_when_they_are_too_large() {
        assert_eq!(kept_of(4, MAX_BYTES / 4), ("0".to_owned(), 4));
        assert_eq!(kept_of(5, MAX_BYTES / 4), ("1".to_owned(), 4));
    }
}
