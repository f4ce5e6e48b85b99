use crate::helpers::{TestApp, ended};

#[tokio::test]
async fn a_mail_waits_for_a_mail_server_that_is_away() {
    let mut app = TestApp::spawn().await;
    app.order_ended(&[&ended("confirmed")]).await;
    app.until_mails(1).await;
    app.world.mail.stop().await;
    let event = ended("rejected");
    app.order_ended(&[&event]).await;
    app.until_failed("smtp").await;
    app.world.mail.restart().await;
    let mail = app.until_mails(1).await.remove(0);
    assert_eq!(mail["headers"]["x-order-id"], event["order_id"]);
}

#[tokio::test]
async fn nothing_is_sent_while_the_database_is_away_and_it_is_sent_when_it_is_back() {
    let app = TestApp::spawn().await;
    app.order_ended(&[&ended("confirmed")]).await;
    app.until_mails(1).await;
    app.take_database().await;
    let event = ended("rejected");
    app.order_ended(&[&event]).await;
    app.until_failed("postgresql").await;
    assert_eq!(app.world.mail.mails().await.len(), 1);
    app.give_database_back().await;
    let mail = app.until_mails(2).await.remove(1);
    assert_eq!(mail["headers"]["x-order-id"], event["order_id"]);
}
