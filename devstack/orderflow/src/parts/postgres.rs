//! PostgreSQL, with a database per service.

use anyhow::{Context as _, anyhow, bail};
use futures::FutureExt as _;
use futures::future::try_join_all;
use postgres_server::{Options, Server};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::part::{Begin, Ready};
use super::{again, told};
use crate::context::Context;
use crate::keep::Life;
use crate::process::Exit;

const NAME: &str = "postgres";

/// One for each service that keeps something.
pub(crate) const DATABASES: [&str; 3] = ["orders", "inventory", "email"];

/// Starts the server of this machine.
pub(crate) fn start(begin: &mut Begin<'_>) -> Ready {
    let (context, port) = (begin.context.clone(), begin.ports.of(&begin.part.ports[0]));
    let address = begin.ports.fill(begin.part.address);
    let live = move |life| run(context.clone(), port, address.clone(), life);
    let ready = begin.group.keep(begin.context, NAME, again(), live);
    told(ready).map(|()| None).boxed()
}

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

/// One life: starts the server, creates the databases, says so on `life.ready`, and keeps it until `life.stop`.
async fn run(context: Context, port: u16, address: String, life: Life) -> anyhow::Result<Exit> {
    let announced = context.screen.starting(NAME);
    let options = Options {
        dir: context.folder.data_of(NAME),
        port,
        fsync: true,
    };
    // A start may be given up at any moment: the next one goes on where it was.
    let mut server = tokio::select! {
        server = Server::launch(options, &context.lifeline) => server?,
        () = life.stop.cancelled() => bail!("stopped while starting"),
    };
    context.register.set_pid(NAME, server.pid());
    let done = tokio::select! {
        done = set_up(&mut server) => done,
        () = life.stop.cancelled() => Err(anyhow!("stopped while starting")),
    };
    if let Err(error) = done {
        server.stop().await?;
        return Err(error);
    }
    announced.ready(&address);
    // Nobody listens when the start was given up; the stop that follows is then at once.
    let _ = life.ready.send(());
    watch(server, life.stop).await
}

async fn set_up(server: &mut Server) -> anyhow::Result<()> {
    server.ready().await?;
    try_join_all(DATABASES.map(|database| server.create_database(database))).await?;
    Ok(())
}

async fn watch(mut server: Server, stop: CancellationToken) -> anyhow::Result<Exit> {
    let log = server.log();
    let status = tokio::select! {
        status = server.wait() => status?,
        () = stop.cancelled() => server.stop().await?,
    };
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines = text.lines().map(ToOwned::to_owned).collect();
    Ok(Exit::new(NAME, status.to_string(), lines))
}
