//! Connections of callers: how many there are at once, and how long each may take for what.

mod activity;

use std::convert::Infallible;
use std::future::pending;
use std::io::{Error, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::body::ReadWithin;
use crate::limits::Limits;
use activity::{Activity, Doing, InHand, Watched};

/// The most bytes of a request's head that are read at all; `server::api` allows less, and says so in a document.
///
/// Twice the longest URI that hyper takes, so that one that is too long is told apart from headers that are.
const MAX_HEAD_BYTES: u32 = 128 * 1024;
/// What has arrived of a request's head when the service stops may be completed for so long.
const LAST_HEAD_WITHIN: Duration = Duration::from_secs(1);
/// How long to wait after the system gave no connection, as when the process has too many files open.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is said at most that all connections are taken.
const SAY_EVERY: Duration = Duration::from_mins(1);

/// Accepts connections until `shutdown`; then requests in hand are finished, and this returns.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    limits: Limits,
) {
    let mut connections = JoinSet::new();
    let accepting = accept_all(&listener, limits, |stream, place| {
        // Those that have ended are forgotten here.
        while connections.try_join_next().is_some() {}
        let connection = serve_connection(stream, router.clone(), shutdown.clone(), limits);
        connections.spawn(async move {
            connection.await;
            drop(place);
        });
    });
    shutdown.run_until_cancelled(accepting).await;
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn accept_all(
    listener: &TcpListener,
    limits: Limits,
    mut serve: impl FnMut(TcpStream, OwnedSemaphorePermit),
) -> Infallible {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut said: Option<Instant> = None;
    loop {
        if places.available_permits() == 0 && said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            let open = limits.connections;
            tracing::warn!(open, "all connections are taken, further ones wait");
            said = Some(Instant::now());
        }
        let place = places.clone().acquire_owned().await;
        let place = place.expect("nobody closes the semaphore");
        match listener.accept().await {
            Ok((stream, _)) => serve(stream, place),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections, will try again");
                sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

/// HTTP/1.1, or HTTP/2 if the caller begins with it.
fn protocol() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        // Who has sent its request may close its half of the connection, and is still waiting for the answer.
        .half_close(true)
        // hyper's own would also end connections that wait between two requests.
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD_BYTES)
        // A caller that is frozen or gone is found out while its request is in hand.
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

async fn serve_connection(
    stream: TcpStream,
    router: Router,
    shutdown: CancellationToken,
    limits: Limits,
) {
    let activity = Activity::new();
    let io = TokioIo::new(Watched::new(stream, activity.clone()));
    let router = TowerToHyperService::new(router);
    let service = service_fn(|mut request: Request<Incoming>| {
        let in_hand = activity.begin(request.version());
        let within = ReadWithin(limits.body_within);
        request.extensions_mut().insert(within);
        answer(router.clone(), request, in_hand)
    });
    let protocol = protocol();
    let mut connection = pin!(protocol.serve_connection(io, service));
    let mut changes = activity.changes();
    let mut ending = false;
    loop {
        let doing = *changes.borrow_and_update();
        let stopping = shutdown.is_cancelled();
        select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "a connection broke");
                }
                return;
            }
            () = shutdown.cancelled(), if !ending => {
                connection.as_mut().graceful_shutdown();
                ending = true;
            }
            () = overdue(doing, limits, stopping) => {
                if ending || !matches!(doing, Doing::Nothing(_)) {
                    tracing::debug!(?doing, "closed a connection that took too long");
                    return;
                }
                connection.as_mut().graceful_shutdown();
                ending = true;
            }
            _ = changes.changed() => {}
        }
    }
}

/// What its connection waits for until the answer was given, to its last byte: then `in_hand` is dropped.
async fn answer(
    router: TowerToHyperService<Router>,
    request: Request<Incoming>,
    in_hand: InHand,
) -> Result<Response<Body>, Infallible> {
    let response = router.call(request).await?;
    Ok(response.map(|body| {
        // A body of another kind would not tell its length any more.
        Body::new(body.map_err(move |error| {
            let _until_the_end = &in_hand;
            error
        }))
    }))
}

async fn overdue(doing: Doing, limits: Limits, stopping: bool) {
    let deadline = match doing {
        Doing::Requests(_) => return pending().await,
        Doing::Head(since) if stopping => since + limits.head_within.min(LAST_HEAD_WITHIN),
        Doing::Head(since) => since + limits.head_within,
        Doing::Nothing(since) => since + limits.idle_within,
    };
    sleep_until(deadline).await;
}
