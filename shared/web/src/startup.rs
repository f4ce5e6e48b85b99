//! Waiting for dependencies that start at the same time as we do, or later.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// One attempt at what a service can begin without: what is frozen answers nobody, and is asked anew.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(10);

/// How long a start may take.
#[derive(Debug, Clone, Copy, Args)]
pub struct StartupArgs {
    /// Seconds to wait at start for a dependency that does not answer.
    #[arg(long, env = "STARTUP_TIMEOUT_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub startup_timeout_seconds: u64,
}

impl StartupArgs {
    /// The same as a [`Duration`].
    pub fn timeout(self) -> Duration {
        Duration::from_secs(self.startup_timeout_seconds)
    }
}

/// Something that a service works with.
#[derive(Debug, Clone, Copy)]
pub struct Dependency<'a> {
    /// What it is: `PostgreSQL`.
    pub name: &'a str,
    /// Where it should be; never with a password.
    pub address: &'a str,
    /// The setting that says so.
    pub setting: &'a str,
}

impl<'a> Dependency<'a> {
    /// What it is, where it should be, and the setting that says so.
    pub fn new(name: &'a str, address: &'a str, setting: &'a str) -> Self {
        Self {
            name,
            address,
            setting,
        }
    }
}

impl fmt::Display for Dependency<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} at {} ({})", self.name, self.address, self.setting)
    }
}

/// Tries `connect` until it succeeds, with growing pauses, and gives up when `startup` says so.
///
/// The error names the dependency, its address and setting, the time waited and the last reason.
pub async fn wait_for<T, C, F>(
    dependency: Dependency<'_>,
    startup: StartupArgs,
    mut connect: C,
) -> anyhow::Result<T>
where
    C: FnMut() -> F,
    F: Future<Output = anyhow::Result<T>>,
{
    let deadline = Instant::now() + startup.timeout();
    let mut pause = FIRST_PAUSE;
    let mut last = anyhow!("no answer");
    loop {
        match timeout_at(deadline, connect()).await {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(error)) => last = error,
            Err(_elapsed) => return Err(gave_up(dependency, startup, &last)),
        }
        if Instant::now() + pause > deadline {
            return Err(gave_up(dependency, startup, &last));
        }
        tracing::info!(reason = format!("{last:#}"), "waiting for {dependency}");
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Tries `connect` until it succeeds, with growing pauses, for as long as the service runs; `None` when `shutdown` came
/// first. For what a service can begin without.
///
/// It is logged when the dependency is found to be away and when it is there, not for each attempt in between.
pub async fn eventually<T, C, F>(
    dependency: Dependency<'_>,
    shutdown: &CancellationToken,
    connect: C,
) -> Option<T>
where
    C: FnMut() -> F,
    F: Future<Output = anyhow::Result<T>>,
{
    let connected = until_connected(dependency, connect);
    shutdown.run_until_cancelled(connected).await
}

async fn until_connected<T, C, F>(dependency: Dependency<'_>, mut connect: C) -> T
where
    C: FnMut() -> F,
    F: Future<Output = anyhow::Result<T>>,
{
    let mut pause = FIRST_PAUSE;
    let mut said = false;
    loop {
        let attempt = timeout(ATTEMPT_WITHIN, connect()).await;
        let reason = match attempt {
            Ok(Ok(connected)) => {
                tracing::info!("{dependency} is there");
                return connected;
            }
            Ok(Err(error)) => format!("{error:#}"),
            Err(_elapsed) => format!("no answer within {ATTEMPT_WITHIN:?}"),
        };
        if said {
            tracing::debug!(reason, "still without {dependency}");
        } else {
            tracing::warn!(reason, "beginning without {dependency}, will try again");
        }
        said = true;
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Something that is there later, for those who ask for it meanwhile. Clones are the same one.
#[derive(Debug)]
pub struct Awaited<T>(Arc<OnceLock<T>>);

impl<T> Awaited<T> {
    /// It is not there yet.
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// It is there now, for good: a second one changes nothing.
    pub fn set(&self, there: T) {
        self.0.set(there).ok();
    }
}

impl<T: Clone> Awaited<T> {
    /// A clone of it, or an error for as long as it is not there.
    pub fn get(&self) -> anyhow::Result<T> {
        self.0.get().cloned().context("there is no connection yet")
    }
}

impl<T> Default for Awaited<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Awaited<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

fn gave_up(
    dependency: Dependency<'_>,
    startup: StartupArgs,
    last: &anyhow::Error,
) -> anyhow::Error {
    let seconds = startup.startup_timeout_seconds;
    anyhow!("{dependency} was not ready within {seconds} s (STARTUP_TIMEOUT_SECONDS): {last:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::future::pending;

    const POSTGRES: Dependency = Dependency {
        name: "PostgreSQL",
        address: "127.0.0.1:5432/orders",
        setting: "DATABASE_URL",
    };
    const STARTUP: StartupArgs = StartupArgs {
        startup_timeout_seconds: 30,
    };

    #[tokio::test(start_paused = true)]
    async fn returns_what_answers_in_the_end() {
        let attempts = Cell::new(0);
        let connect = || async {
            attempts.set(attempts.get() + 1);
            if attempts.get() < 5 {
                Err(anyhow!("not yet"))
            } else {
                Ok("connected")
            }
        };
        assert_eq!(
            wait_for(POSTGRES, STARTUP, connect).await.unwrap(),
            "connected"
        );
        assert_eq!(attempts.get(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn names_dependency_address_setting_time_and_reason_when_it_gives_up() {
        let started = Instant::now();
        let refused =
            || async { Err::<(), _>(anyhow!("connection refused").context("connecting")) };
        let error = wait_for(POSTGRES, STARTUP, refused).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "PostgreSQL at 127.0.0.1:5432/orders (DATABASE_URL) was not ready within 30 s (STARTUP_TIMEOUT_SECONDS): \
             connecting: connection refused"
        );
        assert!(started.elapsed() <= STARTUP.timeout());
    }

    #[tokio::test(start_paused = true)]
    async fn gives_up_on_a_dependency_that_never_answers() {
        let started = Instant::now();
        let error = wait_for(POSTGRES, STARTUP, pending::<anyhow::Result<()>>)
            .await
            .unwrap_err();
        assert!(error.to_string().ends_with("no answer"), "{error}");
        assert_eq!(started.elapsed(), STARTUP.timeout());
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_late_is_connected_to_however_late() {
        let attempts = Cell::new(0);
        let connect = || async {
            attempts.set(attempts.get() + 1);
            match attempts.get() {
                // One answers nothing, as a process does that is stopped.
                7 => pending().await,
                200 => Ok("connected"),
                _ => Err(anyhow!("not yet")),
            }
        };
        let started = Instant::now();
        let connected = eventually(POSTGRES, &CancellationToken::new(), connect).await;
        assert_eq!(connected, Some("connected"));
        assert!(started.elapsed() < LONGEST_PAUSE * 200 + ATTEMPT_WITHIN);
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_comes_does_not_keep_a_service_from_ending() {
        let shutdown = CancellationToken::new();
        let never = eventually(POSTGRES, &shutdown, pending::<anyhow::Result<()>>);
        let stop = async {
            sleep(Duration::from_mins(5)).await;
            shutdown.cancel();
        };
        assert_eq!(tokio::join!(never, stop).0, None);
    }

    #[test]
    fn what_is_awaited_is_there_for_all_clones_once_it_is_set() {
        let awaited = Awaited::new();
        let asked = awaited.clone();
        assert!(asked.get().is_err());
        awaited.set(7);
        awaited.set(8);
        assert_eq!(asked.get().unwrap(), 7);
    }
}
