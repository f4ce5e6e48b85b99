//! What a queue is like, whether it exists from the start or a client creates it.

use std::time::Duration;

use crate::{error::Error, limits};

/// Ends the name of every FIFO queue, and of no other.
const FIFO_SUFFIX: &str = ".fifo";

/// The queues to begin with; clients may create more.
#[derive(Debug, Clone, Default)]
pub struct Queues(pub(crate) Vec<QueueConfig>);

impl Queues {
    /// No queue at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a queue; a dead-letter queue may be added before or after the queues that name it.
    pub fn with_queue(mut self, queue: QueueConfig) -> Self {
        self.0.push(queue);
        self
    }
}

/// One queue.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// Letters, digits, hyphens and underscores, at most 80; the ending `.fifo` makes it a FIFO queue.
    pub name: String,
    /// How long a received message stays hidden; whole seconds, at most 12 hours.
    pub visibility_timeout: Duration,
    /// Where messages go that were received too often; `None` delivers them for ever.
    pub redrive: Option<Redrive>,
}

/// When a message is given up, and where it goes.
#[derive(Debug, Clone)]
pub struct Redrive {
    /// The name of another queue.
    pub dead_letter_queue: String,
    /// How often a message is delivered before it is moved; 1 to 1000.
    pub max_receive_count: u32,
}

impl QueueConfig {
    /// A queue as AWS creates it: 30 seconds of visibility timeout, no dead-letter queue.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            visibility_timeout: Duration::from_secs(30),
            redrive: None,
        }
    }

    /// Moves a message to `dead_letter_queue` instead of delivering it once more than `max_receive_count` times.
    pub fn with_redrive(
        mut self,
        dead_letter_queue: impl Into<String>,
        max_receive_count: u32,
    ) -> Self {
        self.redrive = Some(Redrive {
            dead_letter_queue: dead_letter_queue.into(),
            max_receive_count,
        });
        self
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.name.ends_with(FIFO_SUFFIX)
    }

    /// Refuses what AWS would refuse of the queue alone.
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_name(&self.name, self.is_fifo())?;
        limits::VISIBILITY_TIMEOUT.check(Some(self.visibility_timeout.as_secs()))?;
        let redrive = self.redrive.as_ref();
        limits::MAX_RECEIVE_COUNT.check(redrive.map(|redrive| redrive.max_receive_count))?;
        Ok(())
    }
}

/// The suffix of a FIFO queue counts towards the length of its name, and no other name may have it.
pub(crate) fn check_name(name: &str, is_fifo: bool) -> Result<(), Error> {
    let stem = is_fifo.then(|| name.strip_suffix(FIFO_SUFFIX));
    let stem = stem.unwrap_or(Some(name));
    if stem.is_some_and(limits::is_name) && name.len() <= limits::MAX_NAME {
        return Ok(());
    }
    Err(Error::InvalidParameterValue(
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length. \
         The name of a FIFO queue must end with .fifo suffix."
            .to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_queue_and_its_kind_must_agree() {
        let longest = format!("{}.fifo", "a".repeat(75));
        check_name(&longest, true).unwrap();
        for (name, is_fifo) in [
            ("jobs.fifo", false),
            ("jobs", true),
            (".fifo", true),
            ("a b", false),
            (&format!("a{longest}"), true),
        ] {
            let error = check_name(name, is_fifo).unwrap_err();
            assert!(matches!(error, Error::InvalidParameterValue(_)), "{name}");
        }
    }

    #[test]
    fn refuses_numbers_that_aws_would_refuse() {
        let mut queue = QueueConfig::new("jobs").with_redrive("dead", 1000);
        queue.visibility_timeout = Duration::from_hours(12);
        queue.check().unwrap();
        for count in [0, 1001] {
            let queue = QueueConfig::new("jobs").with_redrive("dead", count);
            assert!(queue.check().is_err(), "{count}");
        }
        queue.visibility_timeout += Duration::from_secs(1);
        assert!(queue.check().is_err());
    }
}
