use crate::helpers::TestApp;

#[tokio::test]
async fn names_what_is_missing_and_stays_alive() {
    let mut app = TestApp::spawn().await;
    assert_eq!(app.get("/readyz").await.0, 200);
    app.mail.stop().await;
    let (status, unready) = app.get("/readyz").await;
    assert_eq!(status, 503);
    assert_eq!(unready["detail"], "not ready: the mail server");
    app.take_database().await;
    let (_, unready) = app.get("/readyz").await;
    assert_eq!(unready["detail"], "not ready: PostgreSQL, the mail server");
    assert_eq!(app.get("/healthz").await.0, 200);

    app.mail.restart().await;
    app.give_database_back().await;
    assert_eq!(app.get("/readyz").await.0, 200);
}
