//! The SMTP side: accepts connections and moves bytes between them and their [`session`].

mod line;
mod reply;
mod session;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use standin::faults::Faults;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::faults::{self, Fault};
use crate::mailbox::Mailbox;
use session::{Session, Step};

/// The least that RFC 5321 §4.5.3.2.7 lets a server wait.
const IDLE_TIMEOUT: Duration = Duration::from_mins(5);
/// A client that does not read its replies holds up a shutdown for no longer than this.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_CONNECTIONS: usize = 200;
/// Errors of `accept` are mostly a lack of file descriptors, which more tries at once do not cure.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
const READ_BYTES: usize = 16 * 1024;

/// Accepts connections until `shutdown`, then waits until each was told.
pub(crate) async fn serve(
    listener: TcpListener,
    mailbox: Arc<Mailbox>,
    faults: Arc<Faults<Fault>>,
    shutdown: CancellationToken,
) {
    let connections = TaskTracker::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) if connections.len() < MAX_CONNECTIONS => {
                let (mailbox, faults) = (mailbox.clone(), faults.clone());
                let conversation = converse(stream, peer, mailbox, faults, shutdown.clone());
                connections.spawn(watched(peer, conversation));
            }
            Ok((stream, peer)) => {
                tracing::warn!(%peer, "refused a connection: {MAX_CONNECTIONS} are open");
                connections.spawn(watched(peer, turn_away(stream)));
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

async fn watched(peer: SocketAddr, conversation: impl Future<Output = io::Result<()>>) {
    if let Err(error) = conversation.await {
        tracing::debug!(%peer, %error, "the connection broke");
    }
}

async fn turn_away(mut stream: TcpStream) -> io::Result<()> {
    send(&mut stream, reply::TOO_MANY_CONNECTIONS).await
}

async fn converse(
    mut stream: TcpStream,
    peer: SocketAddr,
    mailbox: Arc<Mailbox>,
    faults: Arc<Faults<Fault>>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let mut session = Session::new(peer.ip().to_string(), faults.clone());
    let mut buffer = vec![0; READ_BYTES];
    hold_back(&faults, &shutdown).await;
    send(&mut stream, reply::GREETING).await?;
    loop {
        let read = timeout(IDLE_TIMEOUT, stream.read(&mut buffer));
        let read = match shutdown.run_until_cancelled(read).await {
            None => return send(&mut stream, reply::SHUTTING_DOWN).await,
            Some(Err(_elapsed)) => return send(&mut stream, reply::IDLE_TOO_LONG).await,
            Some(Ok(read)) => read?,
        };
        if read == 0 {
            return Ok(());
        }
        let answer = answer(&mut session, &buffer[..read], &mailbox);
        if answer.replies.is_empty() {
            acknowledge_now(&stream)?;
        } else {
            hold_back(&faults, &shutdown).await;
        }
        send(&mut stream, &answer.replies).await?;
        if answer.close {
            return Ok(());
        }
    }
}

/// A slow server, on purpose; but it stops as fast as any.
async fn hold_back(faults: &Faults<Fault>, shutdown: &CancellationToken) {
    let delay = faults::delay(faults);
    if !delay.is_zero() {
        shutdown
            .run_until_cancelled(tokio::time::sleep(delay))
            .await;
    }
}

/// Clients write a message and the dot that ends it apart, and many hold the dot back until the rest is acknowledged.
/// With nothing to answer, the kernel would wait 40 ms before it does that.
#[cfg(target_os = "linux")]
fn acknowledge_now(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).set_tcp_quickack(true)
}

#[cfg(not(target_os = "linux"))]
fn acknowledge_now(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

/// The replies to all that one read has brought.
#[derive(Debug, Default)]
struct Answer {
    replies: String,
    close: bool,
}

fn answer(session: &mut Session, mut bytes: &[u8], mailbox: &Mailbox) -> Answer {
    let mut answer = Answer::default();
    while let Some(step) = session.step(&mut bytes) {
        match step {
            Step::Reply(reply) => answer.replies.push_str(&reply),
            Step::Keep(envelope, source) => {
                let id = mailbox.keep(&envelope, source);
                tracing::debug!(id, "kept a message");
                answer.replies.push_str(&reply::kept(&id));
            }
            Step::Close(reply) => {
                answer.replies.push_str(&reply);
                answer.close = true;
                return answer;
            }
        }
    }
    answer
}

async fn send(stream: &mut TcpStream, replies: &str) -> io::Result<()> {
    timeout(WRITE_TIMEOUT, stream.write_all(replies.as_bytes())).await?
}
