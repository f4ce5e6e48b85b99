use serde::{Deserialize, Serialize};

/// What is sent: the records of a key are numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) key: usize,
    pub(crate) sequence: usize,
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "record {} of key {}", self.sequence, self.key)
    }
}
