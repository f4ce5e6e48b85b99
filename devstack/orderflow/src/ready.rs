//! Waiting until a service says that it is ready.

use std::time::Duration;

use reqwest::Client;

/// As long as a start may take on a slow machine.
const LIMIT: Duration = Duration::from_mins(3);
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Asks `url` until it answers with success; otherwise tells, after three minutes, what it last answered.
pub(crate) async fn wait_until_answers(client: &Client, url: &str) -> Result<(), String> {
    let mut last = "nothing".to_owned();
    let asking = async {
        loop {
            match ask(client, url).await {
                Ok(()) => break,
                Err(answer) => last = answer,
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    };
    let limited = tokio::time::timeout(LIMIT, asking).await;
    limited.map_err(|_elapsed| {
        format!(
            "not ready after {} s; {url} last answered: {last}",
            LIMIT.as_secs()
        )
    })
}

async fn ask(client: &Client, url: &str) -> Result<(), String> {
    let response = client
        .get(url)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    if response.status().is_success() {
        return Ok(());
    }
    let status = response.status();
    Err(format!(
        "{status} {}",
        response.text().await.unwrap_or_default().trim()
    ))
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
        let client = Client::builder().build().unwrap();
        let (ready, ()) = tokio::join!(wait_until_answers(&client, &url), service);
        assert_eq!(ready, Ok(()));
    }
}
