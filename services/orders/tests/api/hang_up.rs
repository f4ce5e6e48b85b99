//! Clients that send a whole request and do not wait for the answer.

use std::time::Duration;

use futures::future::{join, join_all};
use serde_json::json;
use web::testing::{hang_up, until};

use crate::helpers::{TestApp, order};
use crate::kafka::{CREATED, ENDED};

/// Moments that are spread over what a request takes.
fn moments(count: u64) -> impl Iterator<Item = Duration> {
    (0..count).map(|n| Duration::from_micros(n * 7919 % 6000))
}

async fn ids(app: &TestApp, status: &'static str) -> Vec<String> {
    let ids = sqlx::query_scalar("select id::text from orders where status = $1");
    ids.bind(status).fetch_all(&app.database).await.unwrap()
}

#[tokio::test]
async fn whoever_hangs_up_leaves_a_whole_order_or_none_and_loses_nobody_elses() {
    let app = TestApp::spawn().await;
    let request = order();
    for _ in 0..10 {
        let leavers = moments(60)
            .map(|after| hang_up(app.service.address, "POST", "/orders", &request, after));
        let others = (0..5).map(|_| app.post(&request));
        let (_, others) = join(join_all(leavers), join_all(others)).await;
        assert!(others.iter().all(|answer| answer.status == 201));
    }
    app.until_the_outbox_is_empty().await;
    let placed = ids(&app, "pending").await;
    assert!(placed.len() > 50, "{}", placed.len());
    let mut told: Vec<_> = app.kafka.records(CREATED, placed.len()).await;
    told.sort_by(|one, other| one.key.cmp(&other.key));
    told.dedup_by(|one, other| one.key == other.key);
    assert_eq!(told.len(), placed.len());

    // Each can be decided, and what was decided stays, with hang-ups beside it.
    let findings: Vec<_> = placed
        .iter()
        .map(|id| crate::helpers::classified(id, "held"))
        .collect();
    let findings: Vec<_> = findings.iter().collect();
    let leavers =
        moments(200).map(|after| hang_up(app.service.address, "POST", "/orders", &request, after));
    join(join_all(leavers), async {
        for some in findings.chunks(50) {
            app.pubsub.publish(some).await;
        }
    })
    .await;
    until(async || (ids(&app, "confirmed").await.len() == placed.len()).then_some(())).await;
    app.until_the_outbox_is_empty().await;
    assert_eq!(
        app.kafka.count(ENDED).await,
        i64::try_from(placed.len()).unwrap()
    );
}

#[tokio::test]
async fn a_person_who_hangs_up_has_decided_and_it_is_told_or_has_not() {
    let app = TestApp::spawn().await;
    let placed = join_all((0..60).map(|_| app.place())).await;
    app.sql("update orders set status = 'in_review', decision = 1")
        .await;
    let confirmed = json!({"status": "confirmed"});
    let paths: Vec<_> = placed
        .iter()
        .map(|id| format!("/orders/{id}/status"))
        .collect();
    let leavers = paths
        .iter()
        .zip(moments(60))
        .map(|(path, after)| hang_up(app.service.address, "PATCH", path, &confirmed, after));
    join_all(leavers).await;
    // A statement that has begun goes on when nobody waits for it any more: one answer later they all have ended.
    for id in &placed {
        app.change_status(id, &json!({"status": "in_review"})).await;
    }
    app.until_the_outbox_is_empty().await;
    let decided = ids(&app, "confirmed").await.len();
    assert!(decided > 0);
    assert_eq!(
        app.kafka.count(ENDED).await,
        i64::try_from(decided).unwrap()
    );
}
