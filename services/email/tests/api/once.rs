use crate::helpers::{TestApp, classified};

#[tokio::test]
async fn an_event_that_comes_twice_is_one_mail() {
    let app = TestApp::spawn().await;
    let event = classified("confirmed");
    for processed in 1..=2 {
        app.pubsub.publish(&[&event]).await;
        app.until_processed(processed).await;
    }
    assert_eq!(app.mail.mails().await.len(), 1);
}

#[tokio::test]
async fn an_event_that_comes_many_times_at_once_is_one_mail() {
    let app = TestApp::spawn().await;
    let (event, other) = (classified("confirmed"), classified("rejected"));
    app.pubsub
        .publish(&[&event, &event, &event, &other, &event])
        .await;
    app.until_processed(5).await;
    assert_eq!(app.mail.mails().await.len(), 2);
}

#[tokio::test]
async fn the_first_outcome_is_the_one_that_is_told() {
    let app = TestApp::spawn().await;
    let event = classified("rejected");
    app.pubsub.publish(&[&event]).await;
    app.until_processed(1).await;
    let mut later = event.clone();
    later["outcome"] = "confirmed".into();
    app.pubsub.publish(&[&later]).await;
    app.until_processed(2).await;
    let [mail] = &app.mail.mails().await[..] else {
        panic!("one order, one mail");
    };
    assert!(mail["subject"].as_str().unwrap().ends_with("was rejected"));
}
