//! How much a puller takes at once: its flow control, and what fits in one answer.

use std::collections::HashMap;

use uuid::Uuid;

/// Messages in one answer.
const MAX_MESSAGES: usize = 1000;
/// Bytes in one answer, unless a single message is larger: many gRPC clients read at most 4 MB.
const MAX_BYTES: usize = 3_000_000;

/// Identifies a streaming pull while it is open.
pub(crate) type StreamId = Uuid;

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
        let id = Uuid::new_v4();
        let stream = Stream {
            limits,
            messages: 0,
            bytes: 0,
        };
        self.0.insert(id, stream);
        id
    }

    /// What the stream has not settled stays leased until its deadline.
    pub(crate) fn close(&mut self, id: StreamId) {
        self.0.remove(&id);
    }

    /// How many of the `ready` messages this stream takes, so that all streams with room come to
    /// hold equally many. Whoever is woken first would otherwise take everything.
    /// A stream that holds nothing may always take one.
    pub(crate) fn share(&self, id: StreamId, ready: usize) -> usize {
        let has_room = |stream: &Stream| {
            stream.messages < stream.limits.messages && stream.bytes < stream.limits.bytes
        };
        let sharing = self.0.iter();
        let sharing = sharing.filter(|(other, stream)| **other == id || has_room(stream));
        let (streams, held) = sharing.fold((0, 0), |(streams, held), (_, stream)| {
            (streams + 1, held + stream.messages)
        });
        let own = self.0.get(&id).map_or(0, |stream| stream.messages);
        (held + ready).div_ceil(streams.max(1)).saturating_sub(own)
    }

    /// What the stream takes, unless it is closed.
    pub(crate) fn budget(&self, id: StreamId) -> Option<Budget> {
        let stream = self.0.get(&id)?;
        let limits = stream.limits;
        Some(Budget {
            allowance: limits.bytes.saturating_sub(stream.bytes),
            idle: stream.messages == 0,
            ..Budget::new(limits.messages.saturating_sub(stream.messages))
        })
    }

    /// A message of this size was given to the stream.
    pub(crate) fn add(&mut self, id: StreamId, size: usize) {
        if let Some(stream) = self.0.get_mut(&id) {
            stream.messages += 1;
            stream.bytes += size;
        }
    }

    /// The stream has the message no longer; if it is closed by now, there is nothing to count.
    pub(crate) fn subtract(&mut self, id: StreamId, size: usize) {
        if let Some(stream) = self.0.get_mut(&id) {
            stream.messages -= 1;
            stream.bytes -= size;
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
