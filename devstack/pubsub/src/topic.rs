//! One topic: its settings, and what it keeps in a bounded space for those who subscribe later.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;

use crate::message;
use crate::proto::PubsubMessage;
use crate::settings::TopicSettings;

/// Bytes of all messages that a topic keeps, and their number: beyond either, the oldest go before their time.
/// Everything is in memory here, and the shortest retention is ten minutes.
const MAX_BYTES: usize = 32 * 1024 * 1024;
const MAX_MESSAGES: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) settings: TopicSettings,
    /// In the order of publishing.
    retained: VecDeque<(Instant, Arc<PubsubMessage>)>,
    bytes: usize,
}

impl Topic {
    pub(crate) fn new(settings: TopicSettings) -> Self {
        Self {
            settings,
            retained: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Keeps a message that was published now, if the topic retains any.
    pub(crate) fn retain(&mut self, message: &Arc<PubsubMessage>, now: Instant) {
        self.bytes += message::size(message);
        self.retained.push_back((now, Arc::clone(message)));
        self.forget(now);
    }

    /// What a subscription gets that is created now, the oldest first.
    ///
    /// So does Google's emulator; Google's service hands out what a topic retains only after a seek.
    pub(crate) fn retained(&mut self, now: Instant) -> impl Iterator<Item = Arc<PubsubMessage>> {
        self.forget(now);
        self.retained.iter().map(|(_, message)| Arc::clone(message))
    }

    fn forget(&mut self, now: Instant) {
        let retention = self.settings.message_retention_duration.unwrap_or_default();
        while let Some((published, message)) = self.retained.front() {
            let is_over = *published + retention <= now;
            if !is_over && self.bytes <= MAX_BYTES && self.retained.len() <= MAX_MESSAGES {
                break;
            }
            self.bytes -= message::size(message);
            self.retained.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn topic(retention: Option<Duration>) -> Topic {
        Topic::new(TopicSettings {
            name: "projects/p/topics/orders".to_owned(),
            message_retention_duration: retention,
        })
    }

    fn message(id: usize, bytes: usize) -> Arc<PubsubMessage> {
        Arc::new(PubsubMessage {
            message_id: id.to_string(),
            data: vec![b'x'; bytes].into(),
            ..PubsubMessage::default()
        })
    }

    /// The first id and the number of what is kept of `count` messages of this size.
    fn kept_of(count: usize, bytes: usize) -> (String, usize) {
        let mut topic = topic(Some(Duration::from_mins(10)));
        let now = Instant::now();
        for id in 0..count {
            topic.retain(&message(id, bytes), now);
        }
        let first = topic.retained(now).next().unwrap().message_id.clone();
        (first, topic.retained(now).count())
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

    #[test]
    fn forgets_a_message_when_its_time_is_over() {
        let mut topic = topic(Some(Duration::from_mins(10)));
        let published = Instant::now();
        topic.retain(&Arc::default(), published);

        let end = published + Duration::from_mins(10);

        let just_before = end - Duration::from_millis(1);
        assert_eq!(topic.retained(just_before).count(), 1);
        assert_eq!(topic.retained(end).count(), 0);
    }

    #[test]
    fn keeps_nothing_unless_it_was_told_to() {
        let mut topic = topic(None);
        let now = Instant::now();
        topic.retain(&Arc::default(), now);

        assert_eq!(topic.retained(now).count(), 0);
    }
}
