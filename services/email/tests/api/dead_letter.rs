use serde_json::json;

use crate::helpers::{TestApp, classified};
use crate::strict_smtp::StrictSmtp;

#[tokio::test]
async fn a_recipient_that_is_refused_for_good_is_asked_once_and_a_dead_letter() {
    let smtp = StrictSmtp::start("550 no such user").await;
    let app = TestApp::spawn_beside(&smtp.url).await;
    let event = classified("confirmed");
    app.pubsub.publish(&[&event]).await;
    let letter = app.pubsub.next_dead_letter().await;
    assert_eq!(letter.payload, event);
    let reason = &letter.attributes["orderflow-dead-letter-reason"];
    assert!(reason.contains("550"), "{reason}");
    let told = reason.contains("no such user");
    assert!(!told, "a server's words may hold an address: {reason}");
    assert_eq!(smtp.recipients(), ["<vip-ada@example.com>"]);
    let kept = sqlx::query_scalar("select count(*) from emails");
    let kept: i64 = kept.fetch_one(&app.database).await.unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn a_recipient_that_is_refused_for_now_is_asked_again() {
    let smtp = StrictSmtp::start("451 try later").await;
    let app = TestApp::spawn_beside(&smtp.url).await;
    app.pubsub.publish(&[&classified("confirmed")]).await;
    app.until_processed(3).await;
    assert_eq!(smtp.recipients().len(), 3);
}

#[tokio::test]
async fn what_is_no_event_is_a_dead_letter_and_the_next_message_is_processed() {
    let app = TestApp::spawn().await;
    for garbage in [json!({}), classified("lost"), json!(7)] {
        app.pubsub.publish(&[&garbage]).await;
        let letter = app.pubsub.next_dead_letter().await;
        assert_eq!(letter.payload, garbage);
        let reason = &letter.attributes["orderflow-dead-letter-reason"];
        assert!(reason.starts_with("the payload is not"), "{reason}");
    }
    app.pubsub.publish(&[&classified("confirmed")]).await;
    app.until_mails(1).await;
}
