//! Time as the emulator sees it: milliseconds since 1970 that never run backwards.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::{Duration, Instant};

/// A point in time, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(pub(crate) u64);

impl Timestamp {
    pub(crate) fn plus_seconds(self, seconds: u64) -> Self {
        Self(self.0 + seconds * 1_000)
    }
}

/// Wall-clock time read once at start and carried on by the monotonic clock.
///
/// A wall clock that is set back would otherwise hide messages for as long as it was set back.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// In milliseconds since 1970.
    started_at: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            started: Instant::now(),
            started_at: since_1970.map_or(0, millis),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.started_at + millis(self.started.elapsed()))
    }

    /// The instant to sleep until, so that `now()` is at least `at` afterwards.
    pub(crate) fn instant(&self, at: Timestamp) -> Instant {
        self.started + Duration::from_millis(at.0.saturating_sub(self.started_at))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
