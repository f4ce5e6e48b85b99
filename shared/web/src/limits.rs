//! How many callers there may be, and how long each may take for what.

use std::time::Duration;

/// What a server allows its callers. What a request in hand may take is for its handler to say.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections that are open at once. Whoever comes then waits, and is not refused: places become free by the limits
    /// below, and the caller's own time-out tells it when it waited too long.
    pub connections: usize,
    /// How long the head of a request may take, from its first byte; on a new connection from its beginning.
    pub head_within: Duration,
    /// How long the body of a request may take.
    pub body_within: Duration,
    /// How long a connection may be open between two requests.
    pub idle_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Well below the number of files that a process may usually have open, and enough for a busy door.
            connections: 1024,
            head_within: Duration::from_secs(10),
            body_within: Duration::from_secs(30),
            idle_within: Duration::from_mins(1),
        }
    }
}
