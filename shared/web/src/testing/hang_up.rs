use std::net::SocketAddr;
use std::time::Duration;

use http::Request;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Sends a whole request on a connection of its own, and hangs up after that time, so that the work on it is dropped where
/// it is.
///
/// In HTTP/2: in HTTP/1.1 a client that has gone looks like one that has closed its half and still waits, and what it asked
/// for is done to its end.
pub async fn hang_up(server: SocketAddr, method: &str, path: &str, body: &Value, after: Duration) {
    let stream = TcpStream::connect(server).await.expect("a connection");
    let handshake = h2::client::handshake(stream).await;
    let (mut client, connection) = handshake.expect("the server speaks HTTP/2");
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{server}{path}"))
        .header(CONTENT_TYPE, "application/json")
        .body(());
    let request = request.expect("it is a request");
    let sent = client.send_request(request, false);
    let (_answer, mut sending) = sent.expect("the connection is new");
    let sent = sending.send_data(body.to_string().into(), true);
    sent.expect("the request has a body");
    // Nothing moves on the connection but in here.
    let _ = timeout(after, connection).await;
}
