use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::helpers::{Served, routes, serve};

/// Sends everything before it reads, as many clients do.
#[tokio::test]
async fn answers_a_client_that_sends_ten_megabytes_first() {
    const BODY: usize = 10_000_000;
    let served = serve(routes(), Duration::from_secs(5)).await;
    for framing in [
        format!("content-length: {BODY}"),
        "transfer-encoding: chunked".to_owned(),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let head = format!(
            "POST /baskets HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n{framing}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        if framing.starts_with("transfer") {
            stream
                .write_all(format!("{BODY:x}\r\n").as_bytes())
                .await
                .unwrap();
        }
        stream.write_all(&vec![b' '; BODY]).await.unwrap();
        if framing.starts_with("transfer") {
            stream.write_all(b"\r\n0\r\n\r\n").await.unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("262144 bytes"), "{answer}");
    }
}

#[tokio::test]
async fn answers_at_once_a_client_that_asks_before_it_sends() {
    let served = serve(routes(), Duration::from_secs(5)).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = "POST /baskets HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
                content-length: 10000000\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn names_the_port_that_is_taken_and_its_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = format!("{:#}", web::bind(address).await.unwrap_err());
    assert!(
        error.starts_with(&format!("cannot listen on {address} (LISTEN_ADDR): ")),
        "{error}"
    );
    assert!(
        error.to_lowercase().contains("address already in use"),
        "{error}"
    );
}

/// A handler that is in the middle of its work when the service is told to stop.
async fn in_the_middle(drain: Duration) -> (Served, JoinSet<reqwest::Result<u16>>, Arc<Notify>) {
    let (started, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (started, finish) = (started.clone(), finish.clone());
        move || async move {
            started.notify_one();
            finish.notified().await;
        }
    };
    let served = serve(Router::new().route("/", get(handler)), drain).await;
    let url = format!("http://{}/", served.address);
    let mut client = JoinSet::new();
    client.spawn(async move {
        let client = reqwest::Client::builder().build()?;
        Ok(client.get(url).send().await?.status().as_u16())
    });
    started.notified().await;
    served.shutdown.cancel();
    (served, client, finish)
}

#[tokio::test]
async fn finishes_what_is_in_hand_before_it_stops() {
    let (mut served, mut client, finish) = in_the_middle(Duration::from_mins(1)).await;
    finish.notify_one();
    assert_eq!(client.join_next().await.unwrap().unwrap().unwrap(), 200);
    served.server.join_next().await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn stops_after_its_deadline_whatever_is_in_hand() {
    let (mut served, _client, _finish) = in_the_middle(Duration::from_millis(50)).await;
    served.server.join_next().await.unwrap().unwrap().unwrap();
}
