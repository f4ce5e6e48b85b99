use serde_json::Value;
use telemetry::testing::attribute;
use web::testing::until;

use crate::helpers::{TestApp, ended};
use crate::smtp::Smtp;

/// As many as the service processes at once, by default.
const EVENTS: usize = 32;
/// As many as it sends at once.
const LINES: usize = 16;

#[tokio::test]
async fn a_slow_mail_server_costs_patience_and_nothing_else() {
    let smtp = Smtp::start().await;
    smtp.hold(true);
    let app = TestApp::spawn_with(&smtp.url(), &["--database-max-connections=4"]).await;
    app.until_ready().await;
    let events: Vec<_> = (0..EVENTS).map(|_| ended("confirmed")).collect();
    app.order_ended(&events.iter().collect::<Vec<&Value>>())
        .await;
    until(async || (smtp.mails().len() == LINES).then_some(())).await;
    app.until_ready().await;
    smtp.hold(false);
    for event in &events {
        app.until_sent(event).await;
    }
    assert_eq!(smtp.mails().len(), EVENTS);
    let spans = app.recorder.spans().into_iter();
    let failed: Vec<_> = spans
        .filter_map(|span| attribute(&span, "orderflow.messaging.failed_dependency"))
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[tokio::test]
async fn connections_to_the_mail_server_are_kept() {
    let smtp = Smtp::start().await;
    let app = TestApp::spawn_beside(&smtp).await;
    for _ in 0..5 {
        let event = ended("confirmed");
        app.order_ended(&[&event]).await;
        app.until_sent(&event).await;
    }
    assert_eq!((smtp.asked("EHLO"), smtp.asked("MAIL")), (1, 5));
}

#[tokio::test]
async fn a_mail_that_the_server_has_is_written_down_though_its_message_was_given_up() {
    let smtp = Smtp::start().await;
    smtp.hold(true);
    let settings = ["--messaging-shutdown-timeout-ms=0"];
    let mut app = TestApp::spawn_with(&smtp.url(), &settings).await;
    let event = ended("confirmed");
    app.order_ended(&[&event]).await;
    until(async || (smtp.mails().len() == 1).then_some(())).await;
    app.stop().await;
    smtp.hold(false);
    app.until_sent(&event).await;
}
