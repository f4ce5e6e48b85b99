use serde_json::json;
use web::testing::until;

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
    let reason = &letter.attributes["dead-letter-reason"];
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
    // More often than the settings allow.
    app.until_processed(10).await;
    assert!(smtp.recipients().len() >= 10);
    assert_eq!(app.count("send order.classified.dlq"), 0);
}

#[tokio::test]
async fn mails_that_are_put_off_stand_in_nobodys_way() {
    let smtp = StrictSmtp::start("451 try later").await;
    let app = TestApp::spawn_beside(&smtp.url).await;
    // More than are processed at once.
    let put_off: Vec<_> = (0..40).map(|_| classified("confirmed")).collect();
    app.pubsub
        .publish(&put_off.iter().collect::<Vec<_>>())
        .await;
    let mut other = classified("confirmed");
    other["customer_id"] = json!("jane");
    app.pubsub.publish(&[&other]).await;
    let asked = || smtp.recipients().contains(&"<jane@example.com>".to_owned());
    until(async || asked().then_some(())).await;
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_is_not_the_fault_of_a_mail() {
    for reply in ["530 authentication required", "421 closing"] {
        let smtp = StrictSmtp::start(reply).await;
        let app = TestApp::spawn_beside(&smtp.url).await;
        app.pubsub.publish(&[&classified("confirmed")]).await;
        app.until_processed(10).await;
        assert_eq!(app.count("send order.classified.dlq"), 0, "{reply}");
    }
}

#[tokio::test]
async fn what_is_no_event_is_a_dead_letter_and_the_next_message_is_processed() {
    let app = TestApp::spawn().await;
    for garbage in [json!({}), classified("lost"), json!(7)] {
        app.pubsub.publish(&[&garbage]).await;
        let letter = app.pubsub.next_dead_letter().await;
        assert_eq!(letter.payload, garbage);
        let reason = &letter.attributes["dead-letter-reason"];
        assert!(reason.starts_with("the payload is not"), "{reason}");
    }
    app.pubsub.publish(&[&classified("confirmed")]).await;
    app.until_mails(1).await;
}
