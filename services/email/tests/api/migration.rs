use sqlx::PgPool;
use sqlx::migrate::Migrator;

use crate::helpers::{TestApp, World, ended};

const STATUSES: [(&str, &str); 4] = [
    ("confirmed", "is confirmed"),
    ("rejected", "was rejected"),
    ("in_review", "is in review"),
    ("failed", "failed"),
];

/// The tables of the version before.
async fn old_tables(database: &PgPool) {
    let mut migrations: Migrator = sqlx::migrate!();
    migrations.migrations.to_mut().truncate(1);
    migrations.run(database).await.unwrap();
}

#[tokio::test]
async fn mails_of_the_version_before_were_sent_and_say_which_status_they_told() {
    let world = World::start().await;
    let old = PgPool::connect(&world.database).await.unwrap();
    old_tables(&old).await;
    let events = STATUSES.map(|(status, words)| (ended(status), words));
    for (event, words) in &events {
        let id = event["order_id"].as_str().unwrap();
        let insert = "insert into emails (order_id, recipient, subject, message_id)
            values ($1::uuid, 'vip-ada@example.com', $2, '<' || $1 || '@orderflow.example.com>')";
        let subject = format!("Your order {id} {words}");
        let insert = sqlx::query(insert).bind(id).bind(subject);
        insert.execute(&old).await.unwrap();
    }
    let app = TestApp::spawn_in(world).await;
    for (event, _) in &events {
        app.order_ended(&[event]).await;
    }
    // The order whose mail said "in review" was confirmed meanwhile.
    let mut later = events[2].0.clone();
    later["status"] = "confirmed".into();
    app.order_ended(&[&later]).await;
    app.until_processed(5).await;
    let mail = app.until_mails(1).await.remove(0);
    assert_eq!(mail["headers"]["x-order-id"], later["order_id"]);
    for (event, _) in &events {
        assert!(app.is_sent(event).await, "{event}");
    }
}
