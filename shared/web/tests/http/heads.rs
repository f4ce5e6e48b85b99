//! Heads beyond the limits, over a socket: what our code answers, and what hyper answers before it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::helpers::{routes, serve};

/// The answer to a request with this path, and headers of these lengths.
async fn answer(path: &str, headers: &[usize]) -> String {
    let served = serve(routes(), Duration::from_secs(5)).await;
    let stream = TcpStream::connect(served.address).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let headers = headers.iter().enumerate();
    let headers: Vec<_> = headers
        .map(|(number, length)| format!("x-{number}: {}\r\n", "y".repeat(*length)))
        .collect();
    let headers = headers.concat();
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    // It may be refused before all of it was taken.
    writer.write_all(head.as_bytes()).await.ok();
    let mut answer = Vec::new();
    reader.read_to_end(&mut answer).await.ok();
    String::from_utf8(answer).unwrap()
}

fn assert_problem(answer: &str, status: u16, words: &str) {
    let expected = format!("HTTP/1.1 {status} ");
    assert!(answer.starts_with(&expected), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
    assert!(answer.contains(words), "{answer}");
}

#[tokio::test]
async fn a_path_beyond_the_limit_is_refused() {
    let longest = format!("/items?limit=7&x={}", "x".repeat(8192 - 17));
    assert!(answer(&longest, &[]).await.starts_with("HTTP/1.1 200 "));
    assert_problem(&answer(&(longest + "x"), &[]).await, 414, "8192 bytes");
    let very_long = format!("/{}", "x".repeat(70_000));
    let refused = answer(&very_long, &[]).await;
    assert!(refused.starts_with("HTTP/1.1 414 "), "{refused}");
}

#[tokio::test]
async fn headers_beyond_the_limit_are_refused() {
    assert!(
        answer("/items/7", &[30_000])
            .await
            .starts_with("HTTP/1.1 200 ")
    );
    for headers in [[33_000, 0], [17_000, 17_000]] {
        let refused = answer("/items/7", &headers).await;
        assert_problem(&refused, 431, "32768 bytes");
    }
    // These are not read at all, or not to their end.
    for headers in [vec![131_000], vec![1; 101]] {
        let refused = answer("/items/7", &headers).await;
        assert!(refused.starts_with("HTTP/1.1 431 "), "{refused}");
    }
}
