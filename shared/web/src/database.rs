//! A service's own PostgreSQL database.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use http::StatusCode;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool, Row};
use tokio::time::{Instant, sleep};

use crate::health::Readiness;
use crate::problem::Problem;
use crate::startup::{Dependency, StartupArgs, wait_for};

/// How long a request waits for a free connection, well below a caller's own timeout.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(3);
/// How long to wait after a migration was interrupted.
const PAUSE: Duration = Duration::from_millis(100);

/// What the server ends by itself, so that nobody waits for somebody who is frozen or gone.
const TIMEOUTS: [(&str, &str); 3] = [
    ("statement_timeout", "10s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "10s"),
];
/// Said explicitly, because a database or a user may have time-outs of its own.
const NO_TIMEOUTS: [(&str, &str); 3] = [
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
];

/// Where the database is.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// Address of this service's own database: postgres://user:password@host:port/name.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: DatabaseUrl,

    /// Most connections to the database at once, at least 2.
    // With one, whoever asks whether the service is ready waits behind each slow statement, and is told that it is not.
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub database_max_connections: u32,
}

/// A database's address, which shows no password when it is printed.
#[derive(Clone)]
pub struct DatabaseUrl(PgConnectOptions);

impl FromStr for DatabaseUrl {
    type Err = anyhow::Error;

    fn from_str(url: &str) -> anyhow::Result<Self> {
        // sqlx does not look at the scheme.
        let ours = url.starts_with("postgres://") || url.starts_with("postgresql://");
        ensure!(ours, "it does not begin with postgres://");
        Ok(Self(url.parse()?))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let database = self.0.get_database().unwrap_or_default();
        write!(f, "{}:{}/{database}", self.0.get_host(), self.0.get_port())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl DatabaseUrl {
    /// A connection for migrations, which may take long, and wait long for those of another process.
    async fn open(&self) -> anyhow::Result<PgConnection> {
        let connected = self.with_timeouts(NO_TIMEOUTS).connect().await;
        // An error of sqlx tells its cause itself: as a chain it would tell it twice.
        connected.map_err(|error| anyhow!("{error}"))
    }

    /// What the address itself sets wins.
    fn with_timeouts(&self, timeouts: [(&str, &str); 3]) -> PgConnectOptions {
        let given = self.0.get_options().unwrap_or_default();
        let ours = timeouts
            .into_iter()
            .filter(|(name, _)| !given.contains(name));
        self.0.clone().options(ours)
    }
}

impl DatabaseArgs {
    /// Waits for the database, brings its tables up to date and returns a pool.
    ///
    /// Several processes may start at once: migrations take a lock.
    pub async fn connect(
        &self,
        startup: StartupArgs,
        migrations: &Migrator,
    ) -> anyhow::Result<PgPool> {
        let address = self.database_url.to_string();
        let database = Dependency::new("PostgreSQL", &address, "DATABASE_URL");
        let deadline = Instant::now() + startup.timeout();
        // A pool would hide why there is no connection behind "timed out".
        loop {
            let mut connection = wait_for(database, startup, || self.database_url.open()).await?;
            // What `run` does, without the lifetimes that keep a future that holds it from being `Send`.
            let run = migrations.run_direct(None, &mut connection, false);
            match run.await {
                Ok(()) => {
                    // It has done its work whether or not it says goodbye.
                    connection.close().await.ok();
                    return Ok(self.pool());
                }
                Err(error) if passes_by(&error) && Instant::now() < deadline => {
                    tracing::warn!(%error, "migrating {address}, will try again");
                }
                Err(error) => return Err(error).with_context(|| format!("migrating {address}")),
            }
            sleep(PAUSE).await;
        }
    }

    fn pool(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(self.database_max_connections)
            .acquire_timeout(ACQUIRE_WITHIN)
            // The hook asks the server too, so that a connection is tested with one round trip and not with two.
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(is_outside_of_transactions(connection)))
            .connect_lazy_with(self.database_url.with_timeouts(TIMEOUTS))
    }
}

/// Whether nobody has left a transaction open on `connection`; one that has is closed, not handed out.
///
/// A `begin()` that is dropped before its answer came leaves one (<https://github.com/transact-rs/sqlx/issues/4393>):
/// what the next borrower writes would be rolled back later, without an error. sqlx cannot tell, but the server can:
/// outside of a transaction a statement is a transaction of its own, and both begin at the same time. That is so in the
/// simple protocol, which `raw_sql` speaks; a prepared statement begins its transaction before it is executed.
async fn is_outside_of_transactions(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let row = sqlx::raw_sql("select now() = statement_timestamp()")
        .fetch_one(connection)
        .await?;
    let outside: bool = row.try_get(0)?;
    if !outside {
        tracing::warn!("closed a connection that somebody left inside a transaction");
    }
    Ok(outside)
}

/// The database went away meanwhile.
fn passes_by(error: &MigrateError) -> bool {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => is_away(error),
        _ => false,
    }
}

impl Readiness {
    /// Also asks the database of `pool`, over one of its connections.
    pub fn database(self, pool: PgPool) -> Self {
        self.check("PostgreSQL", pool, |pool| async move {
            // Handing a connection out includes asking the server. One that was made a standby answers as
            // ever and takes no writes.
            let row = sqlx::raw_sql("show transaction_read_only").fetch_one(&pool);
            let read_only: String = row.await?.try_get(0)?;
            ensure!(read_only == "off", "it takes no writes");
            Ok(())
        })
    }
}

impl Problem {
    /// What a request is told whose query failed: 503 while the database is away, which passes, else what
    /// [`Problem::unexpected`] says.
    pub fn database(error: sqlx::Error) -> Self {
        if !is_away(&error) {
            return Self::unexpected(error);
        }
        tracing::error!(%error, "the database is away");
        Self::new(StatusCode::SERVICE_UNAVAILABLE).detail("the database cannot be reached")
    }
}

/// No connection could be had, or one broke; or PostgreSQL said that it stops, starts, has no room, or could not do in
/// time what it may well do the next time (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| passes(&code)),
        _ => false,
    }
}

/// Broken connections, conflicts, no room, an operator's doing; a database that lets nobody in for now, or takes no writes;
/// time-outs of locks and of transactions that wait.
fn passes(code: &str) -> bool {
    let class = ["08", "40", "53", "57"];
    class.iter().any(|class| code.starts_with(class))
        || matches!(code, "25006" | "25P03" | "55000" | "55P03")
}

/// Whether a statement failed because of the data that it was about: PostgreSQL refuses it (classes 22 and 23), or it
/// cannot be read or written. Whatever else makes one statement fail would fail the next one as well.
pub fn refuses_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("22") || code.starts_with("23")),
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Encode(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_address_of_postgresql() {
        for url in [
            "",
            "orders",
            "mysql://127.0.0.1/orders",
            "postgres://[/orders",
        ] {
            assert!(url.parse::<DatabaseUrl>().is_err(), "{url}");
        }
    }

    #[test]
    fn says_that_a_database_is_away_apart_from_what_should_not_happen() {
        let away = Problem::database(sqlx::Error::PoolTimedOut);
        assert_eq!(away.status(), StatusCode::SERVICE_UNAVAILABLE);
        let unexpected = Problem::database(sqlx::Error::RowNotFound);
        assert_eq!(unexpected.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn tells_data_that_cannot_be_read_from_a_database_that_is_away() {
        assert!(refuses_data(&sqlx::Error::Decode("no such status".into())));
        assert!(!refuses_data(&sqlx::Error::PoolTimedOut));
    }

    #[test]
    fn refuses_a_pool_that_is_too_small_by_the_name_of_its_setting() {
        #[derive(Debug, clap::Parser)]
        struct Settings {
            #[command(flatten)]
            _database: DatabaseArgs,
        }
        let with = |connections| {
            let url = "postgres://127.0.0.1/orders";
            let arguments = ["test", "--database-url", url, connections];
            <Settings as clap::Parser>::try_parse_from(arguments)
        };
        let refused = with("--database-max-connections=1").unwrap_err();
        assert!(refused.to_string().contains("--database-max-connections"));
        assert!(with("--database-max-connections=2").is_ok());
    }

    #[test]
    fn prints_an_address_without_its_password() {
        let url: DatabaseUrl = "postgres://jane:hunter2@db.example:5433/orders"
            .parse()
            .unwrap();
        assert_eq!(url.to_string(), "db.example:5433/orders");
        assert_eq!(format!("{url:?}"), "db.example:5433/orders");
    }
}
