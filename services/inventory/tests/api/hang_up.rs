//! Clients that send a whole request and do not wait for the answer.

use std::time::Duration;

use domain::OrderId;
use futures::future::{join, join_all};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::helpers::{TestApp, hold};

const ITEMS: [(&str, i64); 3] = [("ITEM-001", 1), ("ITEM-002", 2), ("ITEM-003", 3)];

/// Sends a request on a connection of its own, and hangs up after that time.
async fn hang_up(app: &TestApp, body: Value, after: Duration) {
    let body = body.to_string();
    let request = format!(
        "POST /holds HTTP/1.1\r\nhost: inventory\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = TcpStream::connect(app.address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    sleep(after).await;
}

#[tokio::test]
async fn whoever_hangs_up_holds_everything_or_nothing_and_takes_nothing_from_others() {
    let app = TestApp::spawn().await;
    let (mut left, mut stayed) = (Vec::new(), Vec::new());
    for round in 0..10 {
        let leavers: Vec<_> = (0..60).map(|_| OrderId::generate()).collect();
        let others: Vec<_> = (0..5).map(|_| OrderId::generate()).collect();
        let hang_ups = leavers.iter().zip(0_u64..).map(|(order, n)| {
            // Moments that are spread over what a request takes.
            let after = Duration::from_micros((round * 60 + n) * 7919 % 6000);
            hang_up(&app, hold(*order, &ITEMS), after)
        });
        let holds = others.iter().map(|order| app.hold(*order, &ITEMS));
        let (_, answers) = join(join_all(hang_ups), join_all(holds)).await;
        assert!(answers.iter().all(|(status, _)| *status == 200));
        left.extend(leavers);
        stayed.extend(others);
    }
    let lines = "select count(*) from reservations where status = 'held'";
    // A statement that has begun goes on when nobody waits for it any more: one answer later they all have ended.
    for order in left.iter().chain(&stayed) {
        let (status, _) = app.hold(*order, &ITEMS).await;
        assert_eq!(status, 200);
    }
    assert_eq!(app.count(lines).await, 650 * 3);
    assert_eq!(app.pieces("ITEM-002").await, [998_700, 1300, 0]);
    app.assert_balance().await;
}
