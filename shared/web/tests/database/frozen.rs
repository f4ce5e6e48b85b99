//! A database that is connected to, takes what it is sent and says nothing: behind a proxy that stops to pass bytes on.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use postgres_server::testing;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tower::ServiceExt;
use web::Readiness;

use crate::helpers::{connect, settings};

struct Proxy {
    port: u16,
    frozen: watch::Sender<bool>,
    _passing: JoinSet<()>,
}

impl Proxy {
    async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (frozen, is_frozen) = watch::channel(false);
        let mut passing = JoinSet::new();
        passing.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((caller, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let (from_caller, to_caller) = caller.into_split();
                let (from_server, to_server) = server.into_split();
                connections.spawn(pass(from_caller, to_server, is_frozen.clone()));
                connections.spawn(pass(from_server, to_caller, is_frozen.clone()));
            }
        });
        Self {
            port: own,
            frozen,
            _passing: passing,
        }
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut frozen: watch::Receiver<bool>) {
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        frozen.wait_for(|frozen| !frozen).await.unwrap();
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

async fn is_ready(health: &axum::Router) -> bool {
    let request = Request::get("/readyz").body(Body::empty()).unwrap();
    let response = health.clone().oneshot(request).await.unwrap();
    response.status() == 200
}

#[tokio::test]
async fn a_frozen_database_is_noticed_within_a_second_each_time() {
    let direct: PgConnectOptions = testing::database().await.parse().unwrap();
    let proxy = Proxy::before(direct.get_port()).await;
    let (user, database) = (direct.get_username(), direct.get_database().unwrap());
    let url = format!("postgres://{user}@127.0.0.1:{}/{database}", proxy.port);
    let pool = connect(&settings(&url, 2)).await.unwrap();
    let health = web::health(Readiness::new().database(pool));
    assert!(is_ready(&health).await);
    proxy.frozen.send_replace(true);
    // More often than there are connections, so that those that were given up do not run out.
    for _ in 0..4 {
        let asked = Instant::now();
        assert!(!is_ready(&health).await);
        assert!(asked.elapsed() < Duration::from_secs(2));
    }
    proxy.frozen.send_replace(false);
    let ready_again = async { while !is_ready(&health).await {} };
    timeout(Duration::from_secs(10), ready_again).await.unwrap();
}
