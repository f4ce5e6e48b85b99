use serde_json::json;

use crate::helpers::{TestApp, ended, ended_for};
use crate::smtp::{END, Smtp};

#[tokio::test]
async fn a_recipient_that_does_not_exist_is_asked_for_once_and_a_dead_letter() {
    let smtp = Smtp::start().await;
    smtp.answer("RCPT TO:<vip-ada", "550 5.1.1 no such user");
    let app = TestApp::spawn_beside(&smtp).await;
    let (event, other) = (ended("confirmed"), ended_for("jane", "confirmed"));
    app.order_ended(&[&event, &other]).await;
    let letter = app.world.kafka.next_dead_letter().await;
    assert_eq!(letter.payload, event);
    assert_eq!(letter.headers["dead-letter-consumer-group"], "email");
    assert_eq!(letter.headers["dead-letter-error-type"], "smtp_recipient");
    let reason = &letter.headers["dead-letter-reason"];
    assert!(reason.contains("550 5.1.1"), "{reason}");
    let told = reason.contains("no such user");
    assert!(!told, "a server's words may hold an address: {reason}");
    app.until_sent(&other).await;
    assert_eq!(smtp.asked("RCPT TO:<vip-ada"), 1);
    assert!(!app.is_sent(&event).await);
}

#[tokio::test]
async fn a_dead_letter_that_is_redriven_is_sent() {
    let smtp = Smtp::start().await;
    smtp.answer_first(1, "RCPT", "550 5.1.1 no such user");
    let app = TestApp::spawn_beside(&smtp).await;
    app.order_ended(&[&ended("confirmed")]).await;
    let letter = app.world.kafka.next_dead_letter().await;
    app.order_ended(&[&letter.payload]).await;
    app.until_sent(&letter.payload).await;
    assert_eq!(smtp.mails().len(), 1);
}

#[tokio::test]
async fn a_message_that_is_refused_is_tried_as_often_as_the_settings_say() {
    let smtp = Smtp::start().await;
    smtp.answer(END, "554 5.6.0 not such a message");
    let app = TestApp::spawn_beside(&smtp).await;
    app.order_ended(&[&ended("confirmed")]).await;
    let letter = app.world.kafka.next_dead_letter().await;
    assert_eq!(letter.headers["dead-letter-attempts"], "2");
    assert_eq!(letter.headers["dead-letter-error-type"], "smtp_message");
}

#[tokio::test]
async fn what_is_no_event_is_a_dead_letter_and_the_next_message_is_processed() {
    let app = TestApp::spawn().await;
    for garbage in [json!({}), ended("lost"), json!(7)] {
        app.order_ended(&[&garbage]).await;
        let letter = app.world.kafka.next_dead_letter().await;
        assert_eq!(letter.payload, garbage);
        let reason = &letter.headers["dead-letter-reason"];
        assert!(reason.starts_with("the payload is not"), "{reason}");
    }
    app.order_ended(&[&ended("confirmed")]).await;
    app.until_mails(1).await;
}
