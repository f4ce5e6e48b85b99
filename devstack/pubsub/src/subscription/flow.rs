//! How much a puller takes at once: its flow control, and what fits in one answer.

use std::collections::HashMap;

use super::entry::StreamId;

/// Messages in one answer.
const MAX_MESSAGES: usize = 1000;
/// Bytes in one answer, unless a single message is larger: many gRPC clients read at most 4 MB.
const MAX_BYTES: usize = 3_000_000;

/// What one streaming pull asked for. `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Limits {
    pub(crate) messages: Option<usize>,
    pub(crate) bytes: Option<usize>,
}

/// The streaming pulls that are open, each with what it was given and has not settled.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: HashMap<StreamId, Stream>,
    opened: u64,
}

#[derive(Debug, Default)]
struct Stream {
    limits: Limits,
    messages: usize,
    bytes: usize,
}

impl Streams {
    pub(super) fn open(&mut self, limits: Limits) -> StreamId {
        self.opened += 1;
        let id = StreamId(self.opened);
        let stream = Stream {
            limits,
            ..Stream::default()
        };
        self.open.insert(id, stream);
        id
    }

    pub(super) fn close(&mut self, id: StreamId) {
        self.open.remove(&id);
    }

    /// How many of the `ready` messages this stream takes, so that all streams with room come to
    /// hold equally many. Whoever is woken first would otherwise take everything.
    /// A stream that holds nothing may always take one.
    pub(super) fn share(&self, id: StreamId, ready: usize) -> usize {
        let (streams, held) = self
            .open
            .iter()
            .filter(|(other, stream)| **other == id || stream.has_room())
            .fold((0, 0), |(streams, held), (_, stream)| {
                (streams + 1, held + stream.messages)
            });
        let own = self.open.get(&id).map_or(0, |stream| stream.messages);
        (held + ready).div_ceil(streams.max(1)).saturating_sub(own)
    }

    pub(super) fn budget(&self, id: StreamId) -> Option<Budget> {
        self.open.get(&id).map(Stream::budget)
    }

    pub(super) fn add(&mut self, id: Option<StreamId>, size: usize) {
        if let Some(stream) = id.and_then(|id| self.open.get_mut(&id)) {
            stream.messages += 1;
            stream.bytes += size;
        }
    }

    /// The stream may be closed by now: then there is nothing to count.
    pub(super) fn subtract(&mut self, id: Option<StreamId>, size: usize) {
        if let Some(stream) = id.and_then(|id| self.open.get_mut(&id)) {
            stream.messages -= 1;
            stream.bytes -= size;
        }
    }

    /// Forgets what is outstanding everywhere, when all leases end at once.
    pub(super) fn reset(&mut self) {
        for stream in self.open.values_mut() {
            stream.messages = 0;
            stream.bytes = 0;
        }
    }
}

impl Stream {
    fn has_room(&self) -> bool {
        let under = |limit: Option<usize>, used| limit.is_none_or(|limit| used < limit);
        under(self.limits.messages, self.messages) && under(self.limits.bytes, self.bytes)
    }

    fn budget(&self) -> Budget {
        let left = |limit: Option<usize>, used| {
            limit.map_or(usize::MAX, |limit: usize| limit.saturating_sub(used))
        };
        Budget {
            allowance: left(self.limits.bytes, self.bytes),
            idle: self.messages == 0,
            ..Budget::new(left(self.limits.messages, self.messages))
        }
    }
}

/// What still fits in one answer.
#[derive(Debug)]
pub(super) struct Budget {
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
    pub(super) fn new(messages: usize) -> Self {
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
    pub(super) fn spend(&mut self, size: usize) -> bool {
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
