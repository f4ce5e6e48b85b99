//! PostgreSQL with TLS.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use anyhow::Context;
use lifeline::Lifeline;
use postgres_server::{Options, Server};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::certificates::Certificates;

const DATABASES: [&str; 3] = ["orders", "inventory", "email"];

pub(crate) struct Postgres {
    server: Server,
}

impl Postgres {
    pub(crate) async fn start(
        folder: &Path,
        certificates: &Certificates,
        lifeline: &Lifeline,
    ) -> anyhow::Result<Self> {
        let options = Options {
            dir: folder.to_owned(),
            port: 0,
            fsync: false,
        };
        let server = Server::start(options, lifeline).await?;
        for database in DATABASES {
            server.create_database(database).await?;
        }
        let mut connection = PgConnection::connect(&server.url("postgres")).await?;
        let data: String = sqlx::query_scalar("show data_directory")
            .fetch_one(&mut connection)
            .await?;
        for file in ["server.pem", "server.key"] {
            copy(
                &certificates.folder().join(file),
                &Path::new(&data).join(file),
            )?;
        }
        for setting in [
            "ssl_cert_file = 'server.pem'",
            "ssl_key_file = 'server.key'",
            "ssl = on",
        ] {
            let alter = AssertSqlSafe(format!("alter system set {setting}"));
            sqlx::raw_sql(alter).execute(&mut connection).await?;
        }
        sqlx::raw_sql("select pg_reload_conf()")
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        Ok(Self { server })
    }

    /// For a client that looks at the certificate, and at the name in it.
    pub(crate) fn url(&self, database: &str, authority: &str) -> String {
        let port = self.server.port();
        format!(
            "postgres://postgres@localhost:{port}/{database}?sslmode=verify-full&sslrootcert={authority}"
        )
    }

    /// For a client that trusts the well-known authorities alone.
    pub(crate) fn url_without_authority(&self, database: &str) -> String {
        let port = self.server.port();
        format!("postgres://postgres@localhost:{port}/{database}?sslmode=verify-full")
    }

    /// How many connections to the services' databases there are, with TLS and without.
    pub(crate) async fn connections(&self) -> anyhow::Result<(i64, i64)> {
        let mut connection = PgConnection::connect(&self.server.url("postgres")).await?;
        let counts = sqlx::query_as(
            "select count(*) filter (where ssl), count(*) filter (where not ssl) \
             from pg_stat_ssl join pg_stat_activity using (pid) where datname <> 'postgres'",
        );
        counts.fetch_one(&mut connection).await.context("counting")
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.server.stop().await?;
        Ok(())
    }
}

/// PostgreSQL takes a key that is its own user's, and nobody else's to read.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to)?;
    fs::set_permissions(to, Permissions::from_mode(0o600))?;
    let folder = to.parent().context("a file is in a folder")?.metadata()?;
    chown(to, Some(folder.uid()), Some(folder.gid()))?;
    Ok(())
}
