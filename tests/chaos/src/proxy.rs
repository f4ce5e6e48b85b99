//! Stands between the services and a server, and passes bytes on or does not.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a piece of a message fits in.
const CHUNK: usize = 16 * 1024;

/// What becomes of bytes and connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// Connections stay and new ones are taken; nothing goes through until it passes again.
    Freeze,
    /// Connections are reset, and new ones too.
    Cut,
}

/// A running proxy, which ends with this value.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    mode: watch::Sender<Mode>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// Listens on a free port, and connects each client to `server` at `host:port`.
    pub(crate) async fn before(server: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (mode, modes) = watch::channel(Mode::Pass);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, server, modes));
        Ok(Self {
            address,
            mode,
            _accepting: accepting,
        })
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn accept(listener: TcpListener, server: String, modes: watch::Receiver<Mode>) {
    let mut connections = JoinSet::new();
    loop {
        // Descriptors may be short for a moment; the next client is then no better off than this one.
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        connections.spawn(connect(client, server.clone(), modes.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// One connection, until either side ends it or it is cut.
async fn connect(mut client: TcpStream, server: String, modes: watch::Receiver<Mode>) {
    let mut cut = modes.clone();
    tokio::select! {
        _ended = pass_on(&mut client, &server, modes) => {}
        _cut = cut.wait_for(|mode| *mode == Mode::Cut) => {
            // Reset rather than closed: what was under way is lost, as when a machine goes away.
            client.set_zero_linger().ok();
        }
    }
}

async fn pass_on(
    client: &mut TcpStream,
    server: &str,
    mut modes: watch::Receiver<Mode>,
) -> io::Result<()> {
    passes(&mut modes).await?;
    let mut server = TcpStream::connect(server).await?;
    for stream in [&*client, &server] {
        stream.set_nodelay(true)?;
    }
    let (client, server) = (client.split(), server.split());
    let (there, back) = (modes.clone(), modes);
    // Nobody here goes on to read after closing its own side: one end is the end of both, as when a process dies.
    tokio::select! {
        ended = copy(client.0, server.1, there) => ended,
        ended = copy(server.0, client.1, back) => ended,
    }
}

/// One direction, until its source has no more.
async fn copy(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut modes: watch::Receiver<Mode>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await?;
        passes(&mut modes).await?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(&chunk[..read]).await?;
    }
}

/// Waits until bytes are passed on.
async fn passes(modes: &mut watch::Receiver<Mode>) -> io::Result<()> {
    let passing = modes.wait_for(|mode| *mode == Mode::Pass).await;
    passing.map(drop).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    /// Long enough to see that nothing comes.
    const NOTHING_CAME: Duration = Duration::from_millis(100);
    const PATIENCE: Duration = Duration::from_secs(10);

    /// A proxy before a server that says everything again.
    async fn echo() -> (Proxy, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut clients = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                clients.spawn(async move {
                    let (mut from, mut to) = client.split();
                    tokio::io::copy(&mut from, &mut to).await.ok();
                });
            }
        });
        (Proxy::before(address).await.unwrap(), server)
    }

    async fn hears(client: &mut TcpStream) -> io::Result<u8> {
        timeout(PATIENCE, client.read_u8()).await.unwrap()
    }

    #[tokio::test]
    async fn what_was_frozen_arrives_afterwards() {
        let (proxy, _server) = echo().await;
        let mut client = TcpStream::connect(proxy.address).await.unwrap();
        client.write_u8(1).await.unwrap();
        assert_eq!(hears(&mut client).await.unwrap(), 1);
        proxy.set(Mode::Freeze);
        client.write_u8(2).await.unwrap();
        assert!(timeout(NOTHING_CAME, client.read_u8()).await.is_err());
        proxy.set(Mode::Pass);
        assert_eq!(hears(&mut client).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_cut_ends_connections_old_and_new_until_it_passes_again() {
        let (proxy, _server) = echo().await;
        let mut old = TcpStream::connect(proxy.address).await.unwrap();
        old.write_u8(1).await.unwrap();
        assert_eq!(hears(&mut old).await.unwrap(), 1);
        proxy.set(Mode::Cut);
        assert!(hears(&mut old).await.is_err());
        let mut new = TcpStream::connect(proxy.address).await.unwrap();
        assert!(hears(&mut new).await.is_err());
        proxy.set(Mode::Pass);
        let mut newer = TcpStream::connect(proxy.address).await.unwrap();
        newer.write_u8(3).await.unwrap();
        assert_eq!(hears(&mut newer).await.unwrap(), 3);
    }
}
