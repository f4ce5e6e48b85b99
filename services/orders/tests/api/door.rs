//! The way to a server, which can be closed: whoever comes then is turned away.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) struct Door {
    /// Where it is.
    pub(crate) host: String,
    open: watch::Sender<bool>,
    /// Aborted when dropped.
    _keeper: JoinSet<()>,
}

impl Door {
    pub(crate) async fn closed(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (open, is_open) = watch::channel(false);
        let mut keeper = JoinSet::new();
        keeper.spawn(keep(listener, server.to_owned(), is_open));
        Self {
            host,
            open,
            _keeper: keeper,
        }
    }

    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }
}

async fn keep(listener: TcpListener, server: String, is_open: watch::Receiver<bool>) {
    let mut visits = JoinSet::new();
    loop {
        let (mut visitor, _) = listener.accept().await.unwrap();
        if *is_open.borrow() {
            let mut server = TcpStream::connect(&server).await.unwrap();
            visits.spawn(async move { copy_bidirectional(&mut visitor, &mut server).await });
        }
    }
}
