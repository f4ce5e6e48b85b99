//! Whether a server is guarded: to be asked through its real port.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a page sends that reached the server by its own name, and what one sends from its own origin.
const PAGES: [&str; 3] = [
    "Host: evil.example",
    "Host: localhost\r\nOrigin: https://evil.example",
    "Host: localhost\r\nSec-Fetch-Site: cross-site",
];

/// Panics unless `request` (`GET /path`) is refused to every page.
pub async fn assert_refused_to_pages(server: SocketAddr, request: &str) {
    for page in PAGES {
        let answer = ask(server, request, page).await;
        assert_eq!(status(&answer), 403, "{page}: {answer}");
        assert!(answer.contains("Refused: "), "{answer}");
        let cors = answer.to_lowercase().contains("access-control-");
        assert!(!cors, "{answer}");
    }
}

/// Panics unless a link to `path` may be followed from a page of another origin.
pub async fn assert_link_can_be_followed(server: SocketAddr, path: &str) {
    let link = "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document";
    let answer = ask(server, &format!("GET {path}"), link).await;
    assert_eq!(status(&answer), 200, "{answer}");
}

async fn ask(server: SocketAddr, request: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(server).await.expect("a connection");
    let request = format!(
        "{request} HTTP/1.1\r\n{headers}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the server reads");
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .await
        .expect("the server answers");
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    status.unwrap_or_else(|| panic!("no status: {answer}"))
}
