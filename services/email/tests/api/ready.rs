use crate::helpers::{TestApp, World, ended};

#[tokio::test]
async fn names_what_is_missing_and_stays_alive() {
    let mut app = TestApp::spawn().await;
    app.until_ready().await;
    app.world.mail.stop().await;
    app.until_unready("not ready: the mail server").await;
    app.take_database().await;
    app.until_unready("not ready: PostgreSQL, the mail server")
        .await;
    assert_eq!(app.get("/healthz").await.0, 200);

    app.world.mail.restart().await;
    app.give_database_back().await;
    app.until_ready().await;
}

#[tokio::test]
async fn starts_without_a_mail_server_and_sends_what_has_waited_when_it_is_there() {
    let mut world = World::start().await;
    world.mail.stop().await;
    let mut app = TestApp::spawn_in(world).await;
    app.order_ended(&[&ended("confirmed")]).await;
    app.until_unready("not ready: the mail server").await;
    app.until_failed("smtp").await;
    app.world.mail.restart().await;
    app.until_mails(1).await;
    app.until_ready().await;
}

#[tokio::test]
async fn starts_without_kafka_and_reads_when_it_is_there() {
    let world = World::start().await;
    world.kafka.stop();
    let app = TestApp::spawn_in(world).await;
    app.until_unready("not ready: Kafka").await;
    app.world.kafka.restart();
    app.order_ended(&[&ended("confirmed")]).await;
    app.until_mails(1).await;
    app.until_ready().await;
}
