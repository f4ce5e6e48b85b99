//! PostgreSQL, with a database per service.

use anyhow::{Context as _, anyhow, bail};
use futures::future::try_join_all;
use postgres_server::{Options, Server};
use url::Url;

use super::part::Part;
use crate::context::Context;
use crate::keep::Life;
use crate::ports::Ports;
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
pub(crate) async fn live(
    context: Context,
    part: &'static Part,
    ports: Ports,
    life: Life,
) -> anyhow::Result<Exit> {
    let starting = context.screen.starting(part.name);
    let options = Options {
        dir: context.folder.data_of(part.name),
        port: ports.of(&part.ports[0]),
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
    starting.ready(&ports.fill(part.address));
    // Nobody listens when the start was given up; the stop that follows is then at once.
    let _ = life.ready.send(None);
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
