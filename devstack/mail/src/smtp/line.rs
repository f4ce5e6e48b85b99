//! A command line that arrives in pieces.

use std::mem;

/// RFC 5321 §4.5.3.1.4 asks for 512 octets, and extensions add to that; nothing sensible is longer than this.
pub(super) const MAX_LINE_BYTES: usize = 2048;

/// A whole line or message has passed, and it was longer than it may be.
#[derive(Debug)]
pub(super) struct TooLong;

/// The part of a line that has arrived, at most [`MAX_LINE_BYTES`] of it.
#[derive(Debug, Default)]
pub(super) struct Line {
    start: Vec<u8>,
    too_long: bool,
}

impl Line {
    /// Takes what belongs to this line from the front of `bytes`.
    ///
    /// `None` while the line feed is missing, else the line with its line feed.
    pub(super) fn take_from(&mut self, bytes: &mut &[u8]) -> Option<Result<Vec<u8>, TooLong>> {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let (head, tail) = bytes.split_at(end.map_or(bytes.len(), |at| at + 1));
        *bytes = tail;
        let room = MAX_LINE_BYTES - self.start.len();
        self.too_long |= head.len() > room;
        self.start.extend_from_slice(&head[..head.len().min(room)]);
        end?;
        let line = mem::take(self);
        Some(if line.too_long {
            Err(TooLong)
        } else {
            Ok(line.start)
        })
    }
}
