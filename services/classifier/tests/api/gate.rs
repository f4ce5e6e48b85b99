//! A way to a server that can be shut, and that can be frozen so that no byte passes.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) struct Gate {
    /// Its `host:port`.
    pub(crate) host: String,
    state: watch::Sender<State>,
    /// Aborted when dropped.
    _ways: JoinSet<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Shut,
    Frozen,
}

impl Gate {
    pub(crate) async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (state, watched) = watch::channel(State::Open);
        let mut ways = JoinSet::new();
        ways.spawn(accept(listener, server.to_owned(), watched));
        Self {
            host,
            state,
            _ways: ways,
        }
    }

    /// Connections are closed, and new ones too.
    pub(crate) fn shut(&self) {
        self.state.send_replace(State::Shut);
    }

    /// Connections are taken, and nothing comes back.
    pub(crate) fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }

    /// New connections pass again; what was frozen breaks off.
    pub(crate) fn open(&self) {
        self.state.send_replace(State::Open);
    }
}

async fn accept(listener: TcpListener, server: String, state: watch::Receiver<State>) {
    let mut ways = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        ways.spawn(pass(client, server.clone(), state.clone()));
    }
}

async fn pass(mut client: TcpStream, server: String, mut state: watch::Receiver<State>) {
    if *state.borrow_and_update() == State::Open {
        let Ok(mut server) = TcpStream::connect(&server).await else {
            return;
        };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = state.changed() => {}
        }
    }
    if *state.borrow_and_update() == State::Frozen {
        state.changed().await.ok();
    }
}
