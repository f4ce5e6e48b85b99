//! The catalog behind a lock, with the two things it lacks: waking those who wait, and time.
//!
//! Nothing runs on its own: every operation first does what has become due, and whoever waits for a
//! message wakes up when the next thing is due, or when something has changed.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::error::Error;
use crate::subscription::Delivery;

/// How long an empty pull waits for a message before it answers with none.
const PULL_WAIT: Duration = Duration::from_secs(10);

/// Cheap to clone: all clones are the same broker.
#[derive(Debug, Clone)]
pub(crate) struct Broker {
    catalog: Arc<Mutex<Catalog>>,
    changes: Arc<Notify>,
    /// Cancelled when the server stops: whatever waits must end.
    pub(crate) shutdown: CancellationToken,
}

impl Broker {
    pub(crate) fn new(shutdown: CancellationToken) -> Self {
        Self {
            catalog: Arc::new(Mutex::new(Catalog::new())),
            changes: Arc::default(),
            shutdown,
        }
    }

    /// Looks at what is there now.
    pub(crate) fn read<T>(
        &self,
        operation: impl FnOnce(&mut Catalog, Instant) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut catalog = self.lock();
        let now = Instant::now();
        catalog.advance(now);
        let result = operation(&mut catalog, now);
        catalog.advance(now);
        result
    }

    /// Changes something, then wakes whoever can perhaps go on because of it.
    pub(crate) fn change<T>(
        &self,
        operation: impl FnOnce(&mut Catalog, Instant) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let result = self.read(operation);
        self.changes.notify_waiters();
        result
    }

    /// Leases messages. Only if some were taken are the other pullers woken, whose shares have changed:
    /// one that woke the others by looking in vain, and they it, would never sleep.
    pub(crate) fn lease(
        &self,
        operation: impl FnOnce(&mut Catalog, Instant) -> Result<Vec<Delivery>, Error>,
    ) -> Result<Vec<Delivery>, Error> {
        let deliveries = self.read(operation)?;
        if !deliveries.is_empty() {
            self.changes.notify_waiters();
        }
        Ok(deliveries)
    }

    /// Up to `max` messages; with `wait`, at least one unless none comes for a while.
    pub(crate) async fn pull(
        &self,
        name: &str,
        max: usize,
        wait: bool,
    ) -> Result<Vec<Delivery>, Error> {
        let until = Instant::now() + if wait { PULL_WAIT } else { Duration::ZERO };
        loop {
            let news = self.news();
            let pull = |catalog: &mut Catalog, now| Ok(catalog.subscription(name)?.pull(max, now));
            let deliveries = self.lease(pull)?;
            if !deliveries.is_empty() || Instant::now() >= until {
                return Ok(deliveries);
            }
            tokio::select! {
                () = news => {}
                () = sleep_until(until) => {}
                () = self.shutdown.cancelled() => return Err(Error::ShuttingDown),
            }
        }
    }

    /// Ends when something has changed since this was called, or when the next thing is due.
    /// Called before one looks for messages, it misses nothing that happens afterwards.
    pub(crate) fn news(&self) -> impl Future<Output = ()> + use<> {
        let changed = Arc::clone(&self.changes).notified_owned();
        let broker = self.clone();
        async move {
            let next = broker.lock().next_event();
            tokio::select! {
                () = changed => {}
                // Waking too early does no harm.
                () = sleep_until(next.unwrap_or_else(|| Instant::now() + PULL_WAIT)) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Catalog> {
        self.catalog
            .lock()
            .expect("no operation panics while it holds the lock")
    }
}
