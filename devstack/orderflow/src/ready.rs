//! Waiting until a server says that it is ready.

use std::time::Duration;

use anyhow::ensure;
use reqwest::Client;
use tokio::time::{Instant, sleep};

/// As long as a start may take on a slow machine.
const LIMIT: Duration = Duration::from_mins(3);
/// One question; the next is asked soon enough.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Asks `url` until it answers with success; otherwise tells, after three minutes, what it last answered.
pub(crate) async fn wait_until_answers(url: &str) -> anyhow::Result<()> {
    let client = Client::builder().timeout(ANSWER_LIMIT).build()?;
    let deadline = Instant::now() + LIMIT;
    while let Err(last) = ask(&client, url).await {
        let limit = LIMIT.as_secs();
        ensure!(
            Instant::now() < deadline,
            "not ready after {limit} s; {url} last answered: {last}"
        );
        sleep(ASK_EVERY).await;
    }
    Ok(())
}

async fn ask(client: &Client, url: &str) -> Result<(), String> {
    let response = client.get(url).send().await;
    let response = response.map_err(|error| error.to_string())?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let words = response.text().await.unwrap_or_default();
    Err(format!("{status} {}", words.trim()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn answer(listener: &TcpListener, status: &str) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await.unwrap();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }

    #[tokio::test]
    async fn asks_again_while_a_service_is_not_ready_yet() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = async {
            answer(&listener, "503 Service Unavailable").await;
            answer(&listener, "200 OK").await;
        };
        let (ready, ()) = tokio::join!(wait_until_answers(&url), service);
        ready.unwrap();
    }
}
