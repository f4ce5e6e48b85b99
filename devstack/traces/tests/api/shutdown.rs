//! Stopping.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::helpers::{TRACE, TestStore, export, span};

const SOON: Duration = Duration::from_secs(10);

async fn assert_stops(store: &mut TestStore) {
    let ended = timeout(SOON, store.server.join_next()).await;
    ended.expect("it stops").unwrap().unwrap().unwrap();
}

/// Sends the head of an export, and waits until the server asks for the body: from then on it has the request in hand.
async fn begin_export(store: &TestStore, length: usize) -> TcpStream {
    let mut client = TcpStream::connect(store.http).await.unwrap();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 25];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    client
}

#[tokio::test]
async fn stops_although_clients_keep_idle_connections() {
    let mut store = TestStore::start().await;
    store.send("orders", &[span(1, None, "send", 0)]).await;
    store.get_ok(&format!("/api/v3/traces/{TRACE}")).await;
    store.shutdown.cancel();
    assert_stops(&mut store).await;
    assert!(TcpStream::connect(store.query).await.is_err());
}

#[tokio::test]
async fn finishes_the_export_in_hand() {
    let mut store = TestStore::start().await;
    let body = export("orders", &[span(1, None, "send", 0)]).to_string();
    let mut client = begin_export(&store, body.len()).await;
    store.shutdown.cancel();
    client.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_stops(&mut store).await;
}

#[tokio::test]
async fn does_not_wait_for_ever_for_the_rest_of_a_request() {
    let mut store = TestStore::start().await;
    let _client = begin_export(&store, 10).await;
    store.shutdown.cancel();
    assert_stops(&mut store).await;
}
