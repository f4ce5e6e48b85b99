//! The real servers as plain processes: each is fetched or built once, started on loopback, and watched.
//!
//! One file per server says how it is made and how it is started; [`server`] does what they share.

mod elasticmq;
mod jaeger;
mod java;
mod kafka;
mod maildev;
mod pubsub;
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::process::Command;

use super::{Context, Part};
use crate::install::{Found, Missing, Recipe};
use crate::ports::Ports;
use crate::process::DRAIN_LIMIT;

pub(crate) use server::run;

/// What one real server is made of, filled in by its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server {
    pub(crate) part: Part,
    /// Its name and version, as its makers write them.
    pub(crate) title: &'static str,
    origin: Origin,
    /// The programs to run: the last is the server, and those before it are waited for.
    commands: fn(&Site) -> anyhow::Result<Vec<Command>>,
    /// How to ask whether it takes requests.
    ready: Ready,
    /// What it has to be told before services can use it.
    set_up: fn(&Ports) -> BoxFuture<'_, anyhow::Result<()>>,
    /// How long it may take to end once it is asked to.
    patience: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Origin {
    Made(Recipe),
    Found(Found),
}

/// Where one server is, keeps its data and listens.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// The folder that it was made in, or the file that was found.
    pub(crate) installed: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) ports: Ports,
}

#[derive(Debug, Clone, Copy)]
enum Ready {
    /// A GET of this address is answered with success.
    Answers(fn(&Ports) -> String),
    /// Connections are accepted at this address.
    Listens(fn(&Ports) -> String),
}

/// For a server that comes with everything.
fn nothing_to_set_up(_: &Ports) -> BoxFuture<'_, anyhow::Result<()>> {
    async { Ok(()) }.boxed()
}

/// Every part that has a real server to be started; PostgreSQL is one in every mode, and has a file of its own.
pub(crate) const SERVERS: [Server; 5] = [
    kafka::SERVER,
    elasticmq::SERVER,
    pubsub::SERVER,
    jaeger::SERVER,
    maildev::SERVER,
];

/// The name and version of each, for a comparison with what else names a version.
pub fn native_titles() -> [&'static str; SERVERS.len()] {
    SERVERS.map(|server| server.title)
}

impl Server {
    /// Where it is installed, fetched or built now if need be, or why it could not be; the screen says so too.
    pub(crate) async fn install(
        self,
        context: &Context,
        cache: &Path,
    ) -> anyhow::Result<Result<PathBuf, String>> {
        let title = self.title;
        let installed = match self.origin {
            Origin::Made(recipe) => make(recipe, title, context, cache).await?,
            Origin::Found(found) => found.look().await,
        };
        Ok(installed.map_err(|missing| {
            let why = format!("not {title} but our own stand-in: {missing}");
            context.screen.tell(&format!("{}: {why}", self.part.name()));
            why
        }))
    }
}

async fn make(
    recipe: Recipe,
    title: &str,
    context: &Context,
    cache: &Path,
) -> anyhow::Result<Result<PathBuf, Missing>> {
    let log = format!("getting-{}", recipe.name);
    let making = || {
        let takes = recipe.takes;
        context
            .screen
            .tell(&format!("getting {title}, once: {takes}"));
    };
    let installed = recipe.install(cache, context.folder.new_log(&log)?, making);
    Ok(installed.await)
}
