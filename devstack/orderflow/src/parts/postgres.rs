//! PostgreSQL, with a database per service.

use anyhow::{Context as _, anyhow, bail};
use futures::future::try_join_all;
use postgres_server::{Options, Server};
use url::Url;

use super::part::Site;
use crate::keep::Life;
use crate::process::Exit;

/// One for each service that keeps something.
pub(crate) const DATABASES: [&str; 3] = ["orders", "inventory", "email"];

/// Creates the databases that a server of others does not have yet; `address` is that of any of them.
pub(crate) async fn create_databases(address: &str) -> anyhow::Result<()> {
    let mut server = Url::parse(address)?;
    server.set_path("postgres");
    try_join_all(DATABASES.map(async |database| {
        let created = postgres_server::create_database(server.as_str(), database).await;
        created.with_context(|| format!("creating the database {database}"))
    }))
    .await?;
    Ok(())
}

/// One life: starts the server of this machine, creates the databases, says so on `life.ready`, and keeps it until
/// `life.stop`.
pub(crate) async fn live(site: Site, mut life: Life) -> anyhow::Result<Exit> {
    let (context, part, starting) = (&site.context, site.part, site.starting());
    let options = Options {
        dir: context.folder.data_of(part.name),
        port: site.ports.of(&part.ports[0]),
        fsync: true,
    };
    // A start may be given up at any moment: the next one goes on where it was.
    let mut server = tokio::select! {
        server = Server::launch(options, &context.lifeline) => server?,
        () = life.stop.cancelled() => bail!("stopped while starting"),
    };
    context.note_pid(part.name, server.pid());
    let done = tokio::select! {
        done = set_up(&mut server) => done,
        () = life.stop.cancelled() => Err(anyhow!("stopped while starting")),
    };
    if let Err(error) = done {
        server.stop().await?;
        return Err(error);
    }
    starting.ready(&site.address());
    life.tell_ready(None);
    let log = server.log();
    let status = tokio::select! {
        status = server.wait() => status?,
        () = life.stop.cancelled() => server.stop().await?,
    };
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines = text.lines().map(ToOwned::to_owned).collect();
    Ok(Exit::new(part.name, status.to_string(), lines))
}

async fn set_up(server: &mut Server) -> anyhow::Result<()> {
    server.ready().await?;
    try_join_all(DATABASES.map(|database| server.create_database(database))).await?;
    Ok(())
}
