use std::time::Duration;

use serde_json::Value;
use telemetry::testing::attribute;

use crate::helpers::{TestApp, classified};

/// How long the mail server takes for each mail.
const DELAY: Duration = Duration::from_millis(500);
/// As many as the service processes at once, by default. The last waits for longer than the pool lets one wait.
const MAILS: usize = 32;
const CONNECTIONS: u32 = 4;

#[tokio::test]
async fn a_slow_mail_server_costs_patience_and_nothing_else() {
    let app = TestApp::spawn_behind_slow_smtp(DELAY, CONNECTIONS).await;
    let events: Vec<_> = (0..MAILS).map(|_| classified("confirmed")).collect();
    let events: Vec<&Value> = events.iter().collect();
    app.pubsub.publish(&events).await;
    app.until_processed(1).await;
    let (_, readiness) = app.get("/readyz").await;
    assert!(!readiness.to_string().contains("PostgreSQL"), "{readiness}");
    app.until_mails(MAILS).await;
    let spans = app.recorder.spans().into_iter();
    let failed: Vec<_> = spans
        .filter_map(|span| attribute(&span, "orderflow.messaging.failed_dependency"))
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}
