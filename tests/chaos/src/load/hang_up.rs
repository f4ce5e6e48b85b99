//! Customers who close the connection in the middle of their request.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::Answer;
use super::order::NewOrder;

/// The longest that somebody waits before they hang up: what an order takes on an idle machine, and more.
const LONGEST_WAIT_MS: u64 = 40;

/// Sends half of the request, or all of it, and closes the connection soon afterwards.
pub(super) async fn ask(
    gateway: &str,
    order: &NewOrder,
    random: &mut fastrand::Rng,
) -> anyhow::Result<Answer> {
    let request = request(gateway, order)?;
    let half = random.u8(..4) == 0;
    let sent = if half {
        request.len() - 20
    } else {
        request.len()
    };
    let wait = Duration::from_millis(random.u64(..LONGEST_WAIT_MS));
    let reset = random.bool();
    let said = hang_up(gateway, &request.as_bytes()[..sent], wait, reset).await;
    Ok(Answer::Nothing(match said {
        Ok(()) if half => format!("hung up in the middle of the body, after {wait:?}"),
        Ok(()) => format!("hung up {wait:?} after the request"),
        Err(error) => error.to_string(),
    }))
}

async fn hang_up(gateway: &str, bytes: &[u8], wait: Duration, reset: bool) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(gateway.trim_start_matches("http://")).await?;
    stream.set_nodelay(true)?;
    stream.write_all(bytes).await?;
    sleep(wait).await;
    if reset {
        stream.set_zero_linger()?;
    }
    Ok(())
}

fn request(gateway: &str, order: &NewOrder) -> anyhow::Result<String> {
    let host = gateway.trim_start_matches("http://");
    let body = serde_json::to_string(order)?;
    let length = body.len();
    Ok(format!(
        "POST /orders HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}
