use web::testing::until;

use crate::helpers::TestApp;

#[tokio::test]
async fn is_ready_when_its_dependencies_answer() {
    let app = TestApp::spawn().await;
    assert_eq!(app.get("/healthz").await.status, 200);
    assert_eq!(app.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn names_what_is_missing_and_stays_alive() {
    let app = TestApp::spawn().await;
    app.place().await;
    app.kafka.down();
    let unready = app.get("/readyz").await;
    assert_eq!(unready.status, 503);
    assert_eq!(unready.body["detail"], "not ready: Kafka");

    app.lose_database().await;
    let unready = app.get("/readyz").await;
    assert_eq!(unready.body["detail"], "not ready: PostgreSQL, Kafka");
    assert_eq!(app.get("/healthz").await.status, 200);

    app.kafka.up();
    until(async || {
        let unready = app.get("/readyz").await;
        (unready.body["detail"] == "not ready: PostgreSQL").then_some(())
    })
    .await;
}

#[tokio::test]
async fn tells_callers_nothing_about_a_database_that_is_away() {
    let app = TestApp::spawn().await;
    app.place().await;
    app.lose_database().await;
    let answer = app.get("/orders").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.body["detail"], "something went wrong on our side");
}
