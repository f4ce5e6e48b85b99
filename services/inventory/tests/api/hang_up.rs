//! Clients that send a whole request and do not wait for the answer.

use std::time::Duration;

use domain::OrderId;
use futures::future::{join, join_all};
use web::testing::hang_up;

use crate::helpers::{TestApp, hold};

const ITEMS: [(&str, i64); 3] = [("ITEM-001", 1), ("ITEM-002", 2), ("ITEM-003", 3)];

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
            let body = hold(*order, &ITEMS);
            let address = app.address;
            async move { hang_up(address, "POST", "/holds", &body, after).await }
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
