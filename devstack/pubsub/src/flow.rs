//! How much a puller takes at once: its flow control, and what fits in one answer.

use std::collections::HashMap;

use uuid::Uuid;

/// Messages in one answer.
const MAX_MESSAGES: usize = 1000;
/// Bytes in one answer, unless a single message is larger: many gRPC clients read at most 4 MB.
const MAX_BYTES: usize = 3_000_000;

/// Identifies a streaming pull while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StreamId(Uuid);

/// How much one streaming pull has room for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// The streaming pulls that are open, each with what it was given and has not settled.
#[derive(Debug, Default)]
pub(crate) struct Streams(HashMap<StreamId, Stream>);

#[derive(Debug)]
struct Stream {
    limits: Limits,
    messages: usize,
    bytes: usize,
}

impl Streams {
    pub(crate) fn open(&mut self, limits: Limits) -> StreamId {
        let id = StreamId(Uuid::new_v4());
        let stream = Stream {
            limits,
            messages: 0,
            bytes: 0,
        };
        self.0.insert(id, stream);
        id
    }

    pub(crate) fn close(&mut self, id: StreamId) {
        self.0.remove(&id);
    }

    /// How many of the `ready` messages this stream takes, so that all streams with room come to
    /// hold equally many. Whoever is woken first would otherwise take everything.
    /// A stream that holds nothing may always take one.
    pub(crate) fn share(&self, id: StreamId, ready: usize) -> usize {
        let (streams, held) = self
            .0
            .iter()
            .filter(|(other, stream)| **other == id || stream.has_room())
            .fold((0, 0), |(streams, held), (_, stream)| {
                (streams + 1, held + stream.messages)
            });
        let own = self.0.get(&id).map_or(0, |stream| stream.messages);
        (held + ready).div_ceil(streams.max(1)).saturating_sub(own)
    }

    pub(crate) fn budget(&self, id: StreamId) -> Option<Budget> {
        self.0.get(&id).map(Stream::budget)
    }

    pub(crate) fn add(&mut self, id: Option<StreamId>, size: usize) {
        if let Some(stream) = id.and_then(|id| self.0.get_mut(&id)) {
            stream.messages += 1;
            stream.bytes += size;
        }
    }

    /// The stream may be closed by now: then there is nothing to count.
    pub(crate) fn subtract(&mut self, id: Option<StreamId>, size: usize) {
        if let Some(stream) = id.and_then(|id| self.0.get_mut(&id)) {
            stream.messages -= 1;
            stream.bytes -= size;
        }
    }
}

impl Stream {
    fn has_room(&self) -> bool {
        self.messages < self.limits.messages && self.bytes < self.limits.bytes
    }

    fn budget(&self) -> Budget {
        Budget {
            allowance: self.limits.bytes.saturating_sub(self.bytes),
            idle: self.messages == 0,
            ..Budget::new(self.limits.messages.saturating_sub(self.messages))
        }
    }
}

/// What still fits in one answer.
#[derive(Debug)]
pub(crate) struct Budget {
    messages: usize,
    /// Bytes that the client still takes.
    allowance: usize,
    /// Bytes that still fit in this answer.
    answer: usize,
    /// The client holds nothing at all.
    idle: bool,
    /// Nothing is in this answer yet.
    empty: bool,
}

impl Budget {
    pub(crate) fn new(messages: usize) -> Self {
        Self {
            messages: messages.min(MAX_MESSAGES),
            allowance: usize::MAX,
            answer: MAX_BYTES,
            idle: true,
            empty: true,
        }
    }

    /// Takes the message out of the budget, or says that it does not fit.
    ///
    /// A message that is larger than a whole limit still has to be delivered some time:
    /// alone in its answer, and to a client that holds nothing else.
    pub(crate) fn spend(&mut self, size: usize) -> bool {
        let fits_client = size <= self.allowance || (self.idle && self.empty);
        let fits_answer = size <= self.answer || self.empty;
        if self.messages == 0 || !fits_client || !fits_answer {
            return false;
        }
        self.messages -= 1;
        self.allowance = self.allowance.saturating_sub(size);
        self.answer = self.answer.saturating_sub(size);
        self.empty = false;
        true
    }
}
