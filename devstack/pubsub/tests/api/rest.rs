//! What no client library hides: paths, JSON and error bodies.

use reqwest::Method;
use serde_json::{Value, json};

use crate::helpers::{ORDERS, TOPIC, TestServer, in_time};

async fn call(server: &TestServer, method: Method, path: &str, body: Value) -> (u16, Value) {
    let client = reqwest::Client::builder().build().unwrap();
    let request = client
        .request(method, format!("{}/v1/{path}", server.url()))
        .json(&body);
    let answer = in_time(request.send()).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn post(server: &TestServer, path: &str, body: Value) -> Value {
    let (status, answer) = call(server, Method::POST, path, body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn publishes_pulls_and_acknowledges() {
    let server = TestServer::start().await;
    let message = json!({"data": "aGVsbG8=", "attributes": {"colour": "red"}});

    let published = post(
        &server,
        &format!("{TOPIC}:publish"),
        json!({"messages": [message]}),
    )
    .await;
    let pulled = post(
        &server,
        &format!("{ORDERS}:pull"),
        json!({"maxMessages": 10}),
    )
    .await;

    let received = &pulled["receivedMessages"][0];
    assert_eq!(received["message"]["data"], "aGVsbG8=");
    assert_eq!(received["message"]["attributes"]["colour"], "red");
    assert_eq!(received["message"]["messageId"], published["messageIds"][0]);
    assert_eq!(received["deliveryAttempt"], 1);
    let ids = json!({"ackIds": [received["ackId"]]});
    assert_eq!(
        post(&server, &format!("{ORDERS}:acknowledge"), ids).await,
        json!({})
    );
}

#[tokio::test]
async fn a_pull_that_waits_gets_what_is_published_meanwhile() {
    let server = TestServer::start().await;
    let pull_path = format!("{ORDERS}:pull");
    let publish_path = format!("{TOPIC}:publish");

    let pull = post(&server, &pull_path, json!({"maxMessages": 1}));
    let publish = post(
        &server,
        &publish_path,
        json!({"messages": [{"data": "aGVsbG8="}]}),
    );
    let (pulled, _) = tokio::join!(pull, publish);

    assert_eq!(pulled["receivedMessages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_deadline_of_zero_gives_the_message_back() {
    let server = TestServer::start().await;
    let publish = json!({"messages": [{"data": "aGVsbG8="}]});
    post(&server, &format!("{TOPIC}:publish"), publish).await;
    let pull = || {
        post(
            &server,
            concat!("projects/orderflow/subscriptions/orders", ":pull"),
            json!({"maxMessages": 1}),
        )
    };
    let first = pull().await;

    let ids = json!({"ackIds": [first["receivedMessages"][0]["ackId"]], "ackDeadlineSeconds": 0});
    post(&server, &format!("{ORDERS}:modifyAckDeadline"), ids).await;

    assert_eq!(pull().await["receivedMessages"][0]["deliveryAttempt"], 2);
}

#[tokio::test]
async fn a_seek_into_the_future_empties_the_subscription() {
    let server = TestServer::start().await;
    let publish = json!({"messages": [{"data": "aGVsbG8="}]});
    post(&server, &format!("{TOPIC}:publish"), publish).await;

    let seek = json!({"time": "2999-01-01T00:00:00Z"});
    assert_eq!(
        post(&server, &format!("{ORDERS}:seek"), seek).await,
        json!({})
    );

    let pull = json!({"maxMessages": 1, "returnImmediately": true});
    assert_eq!(
        post(&server, &format!("{ORDERS}:pull"), pull).await,
        json!({})
    );
}

#[tokio::test]
async fn a_new_subscription_gets_what_its_topic_retained_and_its_filter_admits() {
    let server = TestServer::start().await;
    let topic = "projects/orderflow/topics/retaining";
    let create = async |path: &str, body| {
        let (status, answer) = call(&server, Method::PUT, path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let created = create(topic, json!({"messageRetentionDuration": "600s"})).await;
    assert_eq!(created["messageRetentionDuration"], "600s");
    let messages = ["red", "blue"].map(|colour| json!({"attributes": {"colour": colour}}));
    post(
        &server,
        &format!("{topic}:publish"),
        json!({"messages": messages}),
    )
    .await;

    let late = "projects/orderflow/subscriptions/late";
    let filter = r#"attributes.colour = "blue""#;
    create(late, json!({"topic": topic, "filter": filter})).await;

    let pulled = post(&server, &format!("{late}:pull"), json!({"maxMessages": 10})).await;
    let received = pulled["receivedMessages"].as_array().unwrap();
    assert_eq!(received.len(), 1, "{pulled}");
    assert_eq!(received[0]["message"]["attributes"]["colour"], "blue");
}

#[tokio::test]
async fn an_update_changes_what_its_mask_names_and_nothing_else() {
    let server = TestServer::start().await;
    let update = json!({
        "subscription": {"ackDeadlineSeconds": 42, "labels": {"ignored": "yes"}},
        "updateMask": "ackDeadlineSeconds",
    });

    let (status, updated) = call(&server, Method::PATCH, ORDERS, update).await;

    assert_eq!(status, 200);
    assert_eq!(updated["ackDeadlineSeconds"], 42);
    assert_eq!(updated["labels"], Value::Null);
    assert_eq!(updated["deadLetterPolicy"]["maxDeliveryAttempts"], 5);
}

#[tokio::test]
async fn what_cannot_be_changed_says_so() {
    let server = TestServer::start().await;
    let update = json!({"subscription": {"filter": "attributes:a"}, "updateMask": "filter"});

    let (status, answer) = call(&server, Method::PATCH, ORDERS, update).await;

    assert_eq!(status, 400);
    assert_eq!(answer["error"]["status"], "INVALID_ARGUMENT");
}

#[tokio::test]
async fn errors_have_googles_body() {
    let server = TestServer::start().await;

    for (method, path, body, expected) in [
        (
            Method::GET,
            "projects/p/topics/missing",
            json!({}),
            (404, "NOT_FOUND"),
        ),
        (
            Method::PUT,
            "projects/p/topics/ab",
            json!({}),
            (400, "INVALID_ARGUMENT"),
        ),
        (Method::PUT, TOPIC, json!({}), (409, "ALREADY_EXISTS")),
        (
            Method::POST,
            "projects/p/topics/abc:fly",
            json!({}),
            (404, "NOT_FOUND"),
        ),
        (
            Method::POST,
            "projects/orderflow/subscriptions/orders:acknowledge",
            json!({"ackIds": ["x"]}),
            (400, "INVALID_ARGUMENT"),
        ),
        (
            Method::POST,
            "projects/orderflow/topics/order.classified:publish",
            json!({"messages": 7}),
            (400, "INVALID_ARGUMENT"),
        ),
        (
            Method::GET,
            "projects/p/schemas",
            json!({}),
            (404, "NOT_FOUND"),
        ),
    ] {
        let (status, answer) = call(&server, method, path, body).await;
        assert_eq!(status, expected.0, "{path}: {answer}");
        assert_eq!(answer["error"]["code"], expected.0);
        assert_eq!(answer["error"]["status"], expected.1);
        assert!(answer["error"]["message"].is_string());
    }
}
