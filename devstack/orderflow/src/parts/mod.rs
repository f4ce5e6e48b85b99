//! What the stack is made of: children and in-process servers, each kept by a task that ends with an [`Exit`].

pub(crate) mod kafka;
pub(crate) mod native;
pub(crate) mod part;
pub(crate) mod postgres;
pub(crate) mod services;
pub(crate) mod stand_ins;

use std::pin::pin;
use std::time::Duration;

use anyhow::ensure;
use reqwest::Client;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::keep::{Begin, Keeper, Kind, Life};
use crate::process::{Exit, Process};
use crate::screen::PartLine;

/// As long as a start may take on a slow machine.
const LIMIT: Duration = Duration::from_mins(3);
/// One question; the next is asked soon enough.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Parts that are stopped together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    stop: CancellationToken,
    tasks: JoinSet<Exit>,
}

impl Group {
    /// Runs a part for as long as its kind allows; the future resolves once it is ready for the first time, to the port that
    /// it chose by itself. One that fails says nothing there: its end is noticed by its group.
    pub(crate) fn keep(
        &mut self,
        context: &Context,
        part: &'static str,
        kind: Kind,
        begin: Begin,
    ) -> impl Future<Output = Option<u16>> + use<> {
        let (keeper, ready) = Keeper::new(context, part, kind, self.stop.clone(), begin);
        self.tasks.spawn(keeper.keep());
        told(ready)
    }

    /// The first part of the group to end; waits for ever when there is none.
    pub(crate) async fn first_end(&mut self) -> Exit {
        match self.tasks.join_next().await {
            Some(Ok(exit)) => exit,
            Some(Err(panic)) => Exit::failed("orderflow", &panic.into()),
            None => std::future::pending().await,
        }
    }

    /// Asks all to stop and waits until they have.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn told<T>(ready: oneshot::Receiver<T>) -> T {
    match ready.await {
        Ok(value) => value,
        Err(_gone) => std::future::pending().await,
    }
}

/// The rest of the life of a child that was started: it is ready once `address` says where it is.
async fn live(
    process: Process,
    starting: PartLine,
    mut life: Life,
    address: impl Future<Output = anyhow::Result<String>>,
) -> Exit {
    let mut watched = pin!(process.watch(life.stop.clone()));
    let address = tokio::select! {
        exit = &mut watched => return exit,
        address = address => address,
    };
    match address {
        Ok(address) => {
            starting.ready(&address);
            life.tell_ready(None);
            watched.await
        }
        Err(error) => {
            life.stop.cancel();
            let how = format!("{error:#}");
            Exit {
                how,
                ..watched.await
            }
        }
    }
}

/// Asks `url` until it answers with success; otherwise tells, after three minutes, what it last answered.
async fn wait_until_answers(url: &str) -> anyhow::Result<()> {
    let client = Client::builder().timeout(ANSWER_LIMIT).build()?;
    let deadline = Instant::now() + LIMIT;
    while let Err(last) = ask(&client, url).await {
        let limit = LIMIT.as_secs();
        ensure!(
            Instant::now() < deadline,
            "not ready after {limit} s; {url} last answered: {last}"
        );
        sleep(ASK_EVERY).await;
    }
    Ok(())
}

async fn ask(client: &Client, url: &str) -> Result<(), String> {
    let response = client.get(url).send().await;
    let response = response.map_err(|error| error.to_string())?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let words = response.text().await.unwrap_or_default();
    Err(format!("{status} {}", words.trim()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn answer(listener: &TcpListener, status: &str) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await.unwrap();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }

    #[tokio::test]
    async fn asks_again_while_a_service_is_not_ready_yet() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = async {
            answer(&listener, "503 Service Unavailable").await;
            answer(&listener, "200 OK").await;
        };
        let (ready, ()) = tokio::join!(wait_until_answers(&url), service);
        ready.unwrap();
    }
}
