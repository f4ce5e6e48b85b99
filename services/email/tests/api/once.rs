use crate::helpers::{TestApp, ended};

#[tokio::test]
async fn an_event_that_comes_twice_is_one_mail() {
    let app = TestApp::spawn().await;
    let event = ended("confirmed");
    for processed in 1..=2 {
        app.order_ended(&[&event]).await;
        app.until_processed(processed).await;
    }
    assert_eq!(app.world.mail.mails().await.len(), 1);
}

#[tokio::test]
async fn an_event_that_comes_many_times_at_once_is_one_mail() {
    let app = TestApp::spawn().await;
    let (event, other) = (ended("confirmed"), ended("rejected"));
    app.order_ended(&[&event, &event, &event, &other, &event])
        .await;
    app.until_processed(5).await;
    assert_eq!(app.world.mail.mails().await.len(), 2);
}

#[tokio::test]
async fn each_status_that_an_order_reaches_is_a_mail() {
    let app = TestApp::spawn().await;
    let review = ended("in_review");
    let mut confirmed = review.clone();
    confirmed["status"] = "confirmed".into();
    confirmed["sequence"] = 2.into();
    app.order_ended(&[&review, &confirmed, &review]).await;
    app.until_processed(3).await;
    let [first, second] = &app.world.mail.mails().await[..] else {
        panic!("two statuses, two mails");
    };
    assert!(first["subject"].as_str().unwrap().ends_with("is in review"));
    assert!(
        second["subject"]
            .as_str()
            .unwrap()
            .ends_with("is confirmed")
    );
    assert_ne!(first["messageId"], second["messageId"]);
}
