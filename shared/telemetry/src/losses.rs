//! Spans and log records that do not reach their backend are counted, and said: when it goes away, when it is back, and
//! at the end.

mod log_records;
mod rejections;
mod spans;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_sdk::error::OTelSdkResult;
use tracing::Metadata;

pub(crate) use rejections::Rejections;

/// How long losses may go on before they are said, when there is no calm in which to say them.
const SAID_AFTER: Duration = Duration::from_mins(1);

/// What the SDK says of each batch, twice a second for as long as a backend is away. It is said here, once.
const SAID_HERE: [&str; 4] = [
    "BatchSpanProcessor.ExportError",
    "BatchLogProcessor.ExportError",
    "Export.Failed.",
    "Export.InProgress.",
];

/// How an exporter says that its backend does not know the signal: Jaeger, for one, takes no logs.
const NOT_OFFERED: [&str; 4] = [
    "gRPC code: Unimplemented",
    "status code: 404",
    "status code: 405",
    "status code: 501",
];

/// Whether a log line is one that this module writes in a better way.
pub(crate) fn are_said_of(line: &Metadata<'_>) -> bool {
    SAID_HERE.iter().any(|name| line.name().starts_with(name))
}

/// What became of what this process had to export. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Losses(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    backend: &'static str,
    /// A backend may do without it, as one for traces does without logs.
    may_be_refused: bool,
    /// Taken into the queue, and neither delivered nor given up.
    waiting: AtomicUsize,
    lost: AtomicU64,
    burst: Mutex<Burst>,
}

/// Losses that belong together: between them the backend was never well.
#[derive(Debug, Default)]
struct Burst {
    /// It was said that the backend is away.
    away: bool,
    /// It was said that the backend does not take such things at all.
    refused: bool,
    /// Losses that a line was written about.
    told: u64,
    /// How many there were when something was delivered last.
    at_last_delivery: u64,
    /// When there was something to tell for the first time.
    since: Option<Instant>,
    causes: BTreeSet<Cause>,
}

/// Why something was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    QueueFull,
    Undelivered,
    TooLarge,
    Rejected,
}

impl Cause {
    fn words(self) -> &'static str {
        match self {
            Self::QueueFull => "the queue was full",
            Self::Undelivered => "the backend did not take them",
            Self::TooLarge => "larger than a request may be",
            Self::Rejected => "the backend rejected them",
        }
    }
}

/// What there is to say after an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// The backend takes nothing any more.
    Away,
    /// The backend has no use for such things.
    Refused,
    /// All is well again, and so many were lost meanwhile.
    Over(u64),
    /// The backend is there, and so many were lost all the same.
    Lost(u64),
}

impl Losses {
    pub(crate) fn of_spans() -> Self {
        Self::of("trace backend", false)
    }

    pub(crate) fn of_log_records() -> Self {
        Self::of("log backend", true)
    }

    fn of(backend: &'static str, may_be_refused: bool) -> Self {
        Self(Arc::new(Counts {
            backend,
            may_be_refused,
            waiting: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            burst: Mutex::default(),
        }))
    }

    /// All that were lost, once nothing is exported any more: what waits then is lost too.
    pub(crate) fn total(&self) -> u64 {
        self.0.lost.load(Relaxed) + self.0.waiting.load(Relaxed) as u64
    }

    /// Says how many were lost in all; after the last export.
    pub(crate) fn say_total(&self) {
        let (backend, lost) = (self.0.backend, self.total());
        if lost > 0 {
            tracing::warn!(backend, lost, "so much was lost since the start");
        }
    }

    /// Whether there is room for one more.
    fn waits(&self, room: usize) -> bool {
        let before = self.0.waiting.fetch_add(1, Relaxed);
        if before < room {
            return true;
        }
        self.0.waiting.fetch_sub(1, Relaxed);
        self.lose(1, Cause::QueueFull);
        false
    }

    fn lose(&self, count: u64, cause: Cause) {
        if count > 0 {
            self.burst().causes.insert(cause);
            self.0.lost.fetch_add(count, Relaxed);
        }
    }

    fn burst(&self) -> std::sync::MutexGuard<'_, Burst> {
        self.0.burst.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what became of `count` that were sent.
    fn exported(&self, count: usize, result: &OTelSdkResult) {
        let error = result.as_ref().err().map(ToString::to_string);
        let not_offered = |error: &String| NOT_OFFERED.iter().any(|words| error.contains(words));
        let news = match &error {
            Some(error) if self.0.may_be_refused && not_offered(error) => self.refused(),
            _ => self.note(count, result.is_ok()),
        };
        if let Some(news) = news {
            self.say(news, error.as_deref());
        }
    }

    fn say(&self, news: News, error: Option<&str>) {
        let backend = self.0.backend;
        match news {
            News::Away => tracing::warn!(
                backend,
                error,
                "it takes nothing; what it does not take is counted and dropped"
            ),
            News::Refused => tracing::warn!(
                backend,
                error,
                "it has no place for log records, so they are on the console alone; OTEL_LOGS_EXPORTER=none sends none"
            ),
            News::Over(lost) => tracing::warn!(backend, lost, "it takes everything again"),
            News::Lost(lost) => {
                let causes = std::mem::take(&mut self.burst().causes);
                let cause: Vec<_> = causes.into_iter().map(Cause::words).collect();
                let cause = cause.join(", ");
                tracing::warn!(backend, lost, cause, "so many were lost");
            }
        }
    }

    fn refused(&self) -> Option<News> {
        let mut burst = self.burst();
        let begins = !burst.refused;
        burst.refused = true;
        begins.then_some(News::Refused)
    }

    fn note(&self, count: usize, delivered: bool) -> Option<News> {
        if !delivered {
            self.lose(count as u64, Cause::Undelivered);
            let mut burst = self.burst();
            let begins = !burst.away;
            burst.away = true;
            return begins.then_some(News::Away);
        }
        let lost = self.0.lost.load(Relaxed);
        let mut burst = self.burst();
        if burst.told == lost {
            burst.at_last_delivery = lost;
            return None;
        }
        // One delivery among losses is no end: a backend that takes every other batch would fill the log.
        let calm = burst.at_last_delivery == lost;
        burst.at_last_delivery = lost;
        let since = *burst.since.get_or_insert_with(Instant::now);
        if !calm && since.elapsed() < SAID_AFTER {
            return None;
        }
        burst.since = None;
        let untold = lost - burst.told;
        burst.told = lost;
        if std::mem::take(&mut burst.away) {
            burst.causes.clear();
            return Some(News::Over(untold));
        }
        Some(News::Lost(untold))
    }
}

#[cfg(test)]
mod tests;
