//! Callers that are slow, silent or many, with limits that are shorter than the real ones.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};
use web::Limits;

use crate::helpers::{Served, routes, serve_within};

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_mins(1);
const DRAIN: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(20);

const GET: &[u8] = b"GET /items/7 HTTP/1.1\r\nhost: x\r\n\r\n";
const HALF_A_HEAD: &[u8] = b"GET /items/7 HTTP/1.1\r\nhost: x\r\nx-slow: ";

fn limits() -> Limits {
    Limits {
        head_within: LONG,
        body_within: LONG,
        idle_within: LONG,
        ..Limits::default()
    }
}

async fn connect(served: &Served) -> TcpStream {
    TcpStream::connect(served.address).await.unwrap()
}

/// What comes until the server closes the connection, which it must.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A connection with something unread in it is reset when it is closed.
    read.expect("the connection is closed").ok();
    String::from_utf8(bytes).unwrap()
}

/// Sends a request and reads its answer, of which the body is `7`.
async fn ask(stream: &mut TcpStream) {
    stream.write_all(GET).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n7") {
        let read = timeout(PATIENCE, stream.read_buf(&mut answer)).await;
        assert_ne!(read.unwrap().unwrap(), 0, "closed before the answer");
    }
}

#[tokio::test]
async fn whoever_closes_its_half_after_the_request_is_answered() {
    let served = serve_within(routes(), DRAIN, limits()).await;
    let mut stream = connect(&served).await;
    stream.write_all(GET).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    assert!(answer.ends_with("\r\n\r\n7"), "{answer:?}");
}

#[tokio::test]
async fn five_hundred_halves_of_a_head_are_closed_while_others_are_served() {
    let head_within = SHORT;
    let limits = Limits {
        head_within,
        ..limits()
    };
    let served = serve_within(routes(), DRAIN, limits).await;
    let mut slow = Vec::new();
    for _ in 0..500 {
        let mut stream = connect(&served).await;
        stream.write_all(HALF_A_HEAD).await.unwrap();
        slow.push(stream);
    }
    ask(&mut connect(&served).await).await;
    for stream in slow {
        assert_eq!(rest(stream).await, "");
    }
}

#[tokio::test]
async fn a_head_that_comes_in_drops_is_closed_too() {
    let head_within = SHORT;
    let limits = Limits {
        head_within,
        ..limits()
    };
    let served = serve_within(routes(), DRAIN, limits).await;
    let mut stream = connect(&served).await;
    stream.write_all(HALF_A_HEAD).await.unwrap();
    let mut drops = interval(Duration::from_millis(10));
    let dripping = async {
        while stream.write_all(b"x").await.is_ok() {
            drops.tick().await;
        }
    };
    timeout(PATIENCE, dripping).await.unwrap();
}

#[tokio::test]
async fn a_connection_on_which_nothing_comes_is_closed() {
    let head_within = SHORT;
    let limits = Limits {
        head_within,
        ..limits()
    };
    let served = serve_within(routes(), DRAIN, limits).await;
    assert_eq!(rest(connect(&served).await).await, "");
    // Also one that begins as HTTP/2 does, with empty settings.
    let mut stream = connect(&served).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("the connection is closed").ok();
    assert_eq!(answer[3], 4, "it answers with its settings");
}

#[tokio::test]
async fn a_connection_may_wait_between_two_requests_longer_than_for_a_head() {
    let limits = Limits {
        head_within: SHORT / 3,
        idle_within: SHORT * 3,
        ..limits()
    };
    let served = serve_within(routes(), DRAIN, limits).await;
    let mut stream = connect(&served).await;
    let mut pauses = interval(SHORT);
    for _ in 0..3 {
        pauses.tick().await;
        ask(&mut stream).await;
    }
    let answered = Instant::now();
    assert_eq!(rest(stream).await, "");
    assert!(answered.elapsed() > SHORT * 2, "{:?}", answered.elapsed());
}

#[tokio::test]
async fn half_a_head_after_a_request_is_closed_before_it_counts_as_idle() {
    let head_within = SHORT;
    let limits = Limits {
        head_within,
        ..limits()
    };
    let served = serve_within(routes(), DRAIN, limits).await;
    let mut stream = connect(&served).await;
    ask(&mut stream).await;
    stream.write_all(HALF_A_HEAD).await.unwrap();
    assert_eq!(rest(stream).await, "");
}

#[tokio::test]
async fn half_a_body_is_answered_and_closed() {
    let limits = Limits {
        body_within: SHORT,
        ..limits()
    };
    let served = serve_within(routes(), DRAIN, limits).await;
    let mut stream = connect(&served).await;
    let half = b"POST /baskets HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                 content-length: 100\r\n\r\n{\"items\":";
    stream.write_all(half).await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
    assert!(answer.contains("within 300ms"), "{answer}");
}

#[tokio::test]
async fn work_and_bodies_may_take_longer_than_heads_and_waiting() {
    let limits = Limits {
        head_within: SHORT / 3,
        idle_within: SHORT / 3,
        ..limits()
    };
    let slow = get(|| async {
        tokio::time::sleep(SHORT * 2).await;
        "7"
    });
    let router = routes().merge(Router::new().route("/slow", slow));
    let served = serve_within(router, DRAIN, limits).await;
    let mut stream = connect(&served).await;
    let request = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    assert!(rest(stream).await.starts_with("HTTP/1.1 200 "));

    let mut stream = connect(&served).await;
    let head = b"POST /baskets HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                 content-length: 12\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut drops = interval(SHORT / 6);
    for byte in br#"{"items":[]}"# {
        drops.tick().await;
        stream.write_all(&[*byte]).await.unwrap();
    }
    assert!(rest(stream).await.starts_with("HTTP/1.1 201 "));
}

#[tokio::test]
async fn who_comes_when_all_connections_are_taken_waits_until_one_is_closed() {
    let limits = Limits {
        connections: 2,
        ..limits()
    };
    let served = serve_within(routes(), DRAIN, limits).await;
    let (mut one, mut two) = (connect(&served).await, connect(&served).await);
    ask(&mut one).await;
    ask(&mut two).await;
    let mut three = connect(&served).await;
    let asked = ask(&mut three);
    tokio::pin!(asked);
    assert!(timeout(SHORT, &mut asked).await.is_err());
    drop(one);
    timeout(PATIENCE, asked).await.unwrap();
}

#[tokio::test]
async fn silent_callers_do_not_hold_up_the_end() {
    let mut served = serve_within(routes(), LONG, limits()).await;
    let mut idle = connect(&served).await;
    ask(&mut idle).await;
    let mut half = connect(&served).await;
    half.write_all(HALF_A_HEAD).await.unwrap();
    let silent = connect(&served).await;
    // All of them are accepted when a later one is.
    ask(&mut connect(&served).await).await;
    served.shutdown.cancel();
    let ended = timeout(PATIENCE, served.server.join_next()).await;
    ended.unwrap().unwrap().unwrap().unwrap();
    for stream in [idle, half, silent] {
        assert_eq!(rest(stream).await, "");
    }
}
