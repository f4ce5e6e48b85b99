//! What rides beside a payload: Kafka's headers, the message attributes of SQS and Pub/Sub.

use bytes::Bytes;

/// Names and values in their order.
///
/// On Kafka a name may stand there several times and a value may be null; SQS and Pub/Sub know neither, and Pub/Sub's
/// values are text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Option<Bytes>)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, also beside another of that name.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<Bytes>) {
        self.0.push((name.into(), Some(value.into())));
    }

    /// Adds one that has no value, which only Kafka can carry.
    pub fn append_null(&mut self, name: impl Into<String>) {
        self.0.push((name.into(), None));
    }

    /// Adds one in the place of those of that name.
    pub fn set(&mut self, name: &str, value: impl Into<Bytes>) {
        self.remove(name);
        self.append(name, value);
    }

    /// Takes all of that name out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| other != name);
    }

    /// The last value of that name: headers are appended, so it is the newest.
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        let mut values = self.0.iter().rev().filter(|(other, _)| other == name);
        values.find_map(|(_, value)| value.as_ref())
    }

    /// The last value of that name, if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&Bytes>)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<Bytes>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut collected = Self::new();
        for (name, value) in headers {
            collected.append(name, value);
        }
        collected
    }
}
