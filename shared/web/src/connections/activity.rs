//! What a connection does, as one sees it from outside of hyper.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use http::Version;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

/// What a connection does, and since when.
#[derive(Debug, Clone, Copy)]
pub(super) enum Doing {
    /// The head of a request is on its way, or that of the first one is to come.
    Head(Instant),
    /// So many requests are in hand; with HTTP/1 it is one.
    Requests(usize),
    /// The last answer was given, and no other request has begun.
    Nothing(Instant),
}

/// What one connection does. Clones are of the same one.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    doing: watch::Sender<Doing>,
    /// Bytes of HTTP/2 need not be about a request: both sides ask each other whether they are there.
    is_http2: AtomicBool,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared {
            doing: watch::Sender::new(Doing::Head(Instant::now())),
            is_http2: AtomicBool::new(false),
        }))
    }

    pub(super) fn changes(&self) -> watch::Receiver<Doing> {
        self.0.doing.subscribe()
    }

    /// A request is in hand until the answer is dropped.
    pub(super) fn begin(&self, version: Version) -> InHand {
        if version == Version::HTTP_2 {
            self.0.is_http2.store(true, Ordering::Relaxed);
        }
        self.0.doing.send_modify(|doing| {
            *doing = match doing {
                Doing::Requests(others) => Doing::Requests(*others + 1),
                Doing::Head(_) | Doing::Nothing(_) => Doing::Requests(1),
            }
        });
        InHand(self.clone())
    }

    fn end(&self) {
        self.0.doing.send_modify(|doing| {
            *doing = match doing {
                Doing::Requests(others @ 2..) => Doing::Requests(*others - 1),
                _ => Doing::Nothing(Instant::now()),
            }
        });
    }

    fn came_bytes(&self) {
        let waits = matches!(*self.0.doing.borrow(), Doing::Nothing(_));
        if waits && !self.0.is_http2.load(Ordering::Relaxed) {
            self.0.doing.send_replace(Doing::Head(Instant::now()));
        }
    }
}

/// A request that is in hand.
#[derive(Debug)]
pub(super) struct InHand(Activity);

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A stream that tells when bytes come.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    activity: Activity,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, activity: Activity) -> Self {
        Self { stream, activity }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.activity.came_bytes();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
