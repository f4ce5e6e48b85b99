//! The catalog behind a lock, with the two things it lacks: waking those who wait, and time.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, Now};
use crate::error::Error;
use crate::names::{SubscriptionName, TopicName};
use crate::proto::PubsubMessage;
use crate::settings::Settings;
use crate::subscription::{Delivery, Subscription};

/// How long an empty pull waits for a message before it answers with none.
const PULL_WAIT: Duration = Duration::from_secs(10);

/// Cheap to clone: all clones are the same broker.
#[derive(Debug, Clone)]
pub(crate) struct Broker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something will be due earlier than the timer believes.
    earlier: Notify,
    shutdown: CancellationToken,
}

#[derive(Debug)]
struct State {
    catalog: Catalog,
    /// Wakes the streams and pulls of a subscription.
    waiting: HashMap<SubscriptionName, Arc<Notify>>,
    /// When the timer will next look.
    alarm: Option<Instant>,
}

impl Broker {
    pub(crate) fn new(shutdown: CancellationToken) -> Self {
        let state = State {
            catalog: Catalog::new(first_message_id()),
            waiting: HashMap::new(),
            alarm: None,
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                earlier: Notify::new(),
                shutdown,
            }),
        }
    }

    /// Cancelled when the server stops: whatever waits must end.
    pub(crate) fn shutdown(&self) -> &CancellationToken {
        &self.shared.shutdown
    }

    /// Reads or changes topics and subscriptions themselves, not what is in them.
    pub(crate) fn catalog<T>(&self, operation: impl FnOnce(&mut Catalog) -> T) -> T {
        operation(&mut self.lock().catalog)
    }

    pub(crate) fn create_subscription(
        &self,
        name: &SubscriptionName,
        settings: Settings,
    ) -> Result<(), Error> {
        let mut state = self.lock();
        let now = Instant::now();
        state
            .catalog
            .create_subscription(name.clone(), settings, now)?;
        // Nobody pulls yet, but what the topic retained is not kept for ever.
        self.wake(&mut state, name);
        Ok(())
    }

    pub(crate) fn delete_subscription(&self, name: &SubscriptionName) -> Result<(), Error> {
        let mut state = self.lock();
        state.catalog.delete_subscription(name)?;
        // Its streams wake up to find that it is gone.
        if let Some(waiting) = state.waiting.remove(name) {
            waiting.notify_waiters();
        }
        Ok(())
    }

    pub(crate) fn publish(
        &self,
        topic: &TopicName,
        messages: Vec<PubsubMessage>,
    ) -> Result<Vec<String>, Error> {
        let mut state = self.lock();
        let ids = state.catalog.publish(topic, messages, Now::read())?;
        self.wake_subscribers(&mut state, topic);
        Ok(ids)
    }

    /// Does something with a subscription's messages, then wakes whoever can go on because of it.
    pub(crate) fn with_subscription<T>(
        &self,
        name: &SubscriptionName,
        operation: impl FnOnce(&mut Subscription, Instant) -> T,
    ) -> Result<T, Error> {
        let now = Now::read();
        let mut state = self.lock();
        let result = operation(state.catalog.subscription(name)?, now.instant);
        if let Some(topic) = state.catalog.move_dead_letters(name, now) {
            self.wake_subscribers(&mut state, &topic);
        }
        self.wake(&mut state, name);
        Ok(result)
    }

    /// Leases messages. Only if some were taken and others are left are the other pullers woken,
    /// whose shares have changed: one that woke itself by looking in vain would never sleep.
    pub(crate) fn lease<T>(
        &self,
        name: &SubscriptionName,
        operation: impl FnOnce(&mut Subscription, Instant) -> T,
    ) -> Result<T, Error> {
        let mut state = self.lock();
        let subscription = state.catalog.subscription(name)?;
        let before = subscription.ready();
        let result = operation(subscription, Instant::now());
        if subscription.ready() < before {
            self.wake(&mut state, name);
        }
        Ok(result)
    }

    /// Up to `max` messages; with `wait`, at least one unless none comes for a while.
    pub(crate) async fn pull(
        &self,
        name: &SubscriptionName,
        max: usize,
        wait: bool,
    ) -> Result<Vec<Delivery>, Error> {
        let until = Instant::now() + if wait { PULL_WAIT } else { Duration::ZERO };
        let waiting = self.waiting(name)?;
        loop {
            let notified = waiting.notified();
            let deliveries = self.lease(name, |subscription, now| subscription.pull(max, now))?;
            if !deliveries.is_empty() || Instant::now() >= until {
                return Ok(deliveries);
            }
            tokio::select! {
                () = notified => {}
                () = sleep_until(until) => {}
                () = self.shared.shutdown.cancelled() => return Err(Error::ShuttingDown),
            }
        }
    }

    /// What a subscription's pullers wait on. A `notified()` future that was created before the
    /// messages were looked for misses nothing that is published afterwards.
    pub(crate) fn waiting(&self, name: &SubscriptionName) -> Result<Arc<Notify>, Error> {
        let mut state = self.lock();
        state.catalog.subscription(name)?;
        Ok(Arc::clone(state.waiting.entry(name.clone()).or_default()))
    }

    /// Ends leases, back-offs and retentions at their time; runs as long as the server.
    /// It sleeps until the next of them is due, or an earlier one is added.
    pub(crate) async fn keep_time(&self) -> Infallible {
        loop {
            let alarm = self.advance();
            tokio::select! {
                () = sleep_until_some(alarm) => {}
                () = self.shared.earlier.notified() => {}
            }
        }
    }

    fn advance(&self) -> Option<Instant> {
        let mut state = self.lock();
        state.alarm = state.catalog.advance(Now::read());
        let names: Vec<_> = state.waiting.keys().cloned().collect();
        for name in names {
            self.wake(&mut state, &name);
        }
        state.alarm
    }

    fn wake_subscribers(&self, state: &mut State, topic: &TopicName) {
        let Ok(topic) = state.catalog.topic(topic) else {
            return;
        };
        for name in topic.subscriptions.clone() {
            self.wake(state, &name);
        }
    }

    /// Wakes a subscription's pullers if there is something for them, and the timer if it would
    /// otherwise be late.
    fn wake(&self, state: &mut State, name: &SubscriptionName) {
        let Ok(subscription) = state.catalog.subscription(name) else {
            return;
        };
        let next = subscription.next_event();
        if subscription.ready() > 0
            && let Some(waiting) = state.waiting.get(name)
        {
            waiting.notify_waiters();
        }
        if let Some(next) = next
            && state.alarm.is_none_or(|alarm| next < alarm)
        {
            state.alarm = Some(next);
            self.shared.earlier.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .expect("no operation panics while it holds the lock")
    }
}

async fn sleep_until_some(alarm: Option<Instant>) {
    match alarm {
        Some(alarm) => sleep_until(alarm).await,
        None => pending().await,
    }
}

/// Microseconds since 1970: decimal numbers, as the real service's ids are, that a restarted
/// server does not give out again.
fn first_message_id() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}
