//! A service's own PostgreSQL database.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use http::StatusCode;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};

use crate::health::Readiness;
use crate::problem::Problem;
use crate::startup::{Dependency, StartupArgs, wait_for};

/// How long a request waits for a free connection, well below a caller's own timeout.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(3);

/// Where the database is.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// Address of this service's own database: postgres://user:password@host:port/name.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: DatabaseUrl,

    /// Most connections to the database at once.
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
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

impl DatabaseArgs {
    /// Waits for the database, brings its tables up to date and returns a pool.
    ///
    /// Several processes may start at once: migrations take a lock.
    pub async fn connect(
        &self,
        startup: StartupArgs,
        migrations: &Migrator,
    ) -> anyhow::Result<PgPool> {
        let pool = PgPoolOptions::new()
            .max_connections(self.database_max_connections)
            .acquire_timeout(ACQUIRE_WITHIN)
            .connect_lazy_with(self.database_url.0.clone());
        let address = self.database_url.to_string();
        let database = Dependency::new("PostgreSQL", &address, "DATABASE_URL");
        wait_for(database, startup, || ping(&self.database_url)).await?;
        migrations
            .run(&pool)
            .await
            .with_context(|| format!("migrating {address}"))?;
        Ok(pool)
    }
}

impl Readiness {
    /// Also asks the database of `pool`, over one of its connections.
    pub fn database(self, pool: PgPool) -> Self {
        self.check("PostgreSQL", pool, |pool| async move {
            pool.acquire().await?.ping().await
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

/// No connection could be had, or one broke; or PostgreSQL said that it stops or starts
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>, classes 08 and 57P).
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("08") || code.starts_with("57P")),
        _ => false,
    }
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

/// One connection of its own: a pool would hide why there is none behind "timed out".
async fn ping(url: &DatabaseUrl) -> anyhow::Result<()> {
    let connected = async { url.0.connect().await?.close().await };
    // An error of sqlx tells its cause itself: as a chain it would tell it twice.
    connected
        .await
        .map_err(|error: sqlx::Error| anyhow!("{error}"))
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
    fn prints_an_address_without_its_password() {
        let url: DatabaseUrl = "postgres://jane:hunter2@db.example:5433/orders"
            .parse()
            .unwrap();
        assert_eq!(url.to_string(), "db.example:5433/orders");
        assert_eq!(format!("{url:?}"), "db.example:5433/orders");
    }
}
