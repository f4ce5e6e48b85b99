use serde_json::Value;

use crate::helpers::{TestApp, ended, ended_for};
use crate::smtp::Smtp;

#[tokio::test]
async fn greylisting_puts_each_mail_off_once_and_sends_it_once() {
    let smtp = Smtp::start().await;
    smtp.greylist("451 4.7.1 greylisted");
    let app = TestApp::spawn_beside(&smtp).await;
    let events = ["jane", "ada", "joe"].map(|name| ended_for(name, "confirmed"));
    app.order_ended(&events.each_ref()).await;
    for event in &events {
        app.until_sent(event).await;
    }
    assert_eq!(smtp.asked("RCPT"), 6);
    assert_eq!(smtp.mails().len(), 3);
}

#[tokio::test]
async fn a_recipient_that_is_refused_for_now_is_asked_for_more_often_than_the_settings_say() {
    let smtp = Smtp::start().await;
    smtp.answer("RCPT", "451 try later");
    let app = TestApp::spawn_beside(&smtp).await;
    app.order_ended(&[&ended("confirmed")]).await;
    app.until_processed(10).await;
    assert_eq!(app.count("send order.ended.dlt"), 0);
}

#[tokio::test]
async fn mails_that_are_put_off_stand_in_nobodys_way() {
    let smtp = Smtp::start().await;
    smtp.answer("RCPT TO:<vip-ada", "451 try later");
    let app = TestApp::spawn_beside(&smtp).await;
    // More than are processed at once.
    let put_off: Vec<_> = (0..40).map(|_| ended("confirmed")).collect();
    let good: Vec<_> = (0..8).map(|_| ended_for("jane", "confirmed")).collect();
    let events: Vec<&Value> = put_off.iter().chain(&good).collect();
    app.order_ended(&events).await;
    for event in &good {
        app.until_sent(event).await;
    }
    assert_eq!(smtp.mails_to("jane@example.com"), 8);
    assert_eq!(smtp.mails().len(), 8);
}
