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
async fn a_new_subscription_gets_what_its_topic_retained() {
    let server = TestServer::start().await;
    let topic = "projects/orderflow/topics/retaining";
    let create = async |path: &str, body| {
        let (status, answer) = call(&server, Method::PUT, path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let created = create(topic, json!({"messageRetentionDuration": "600s"})).await;
    assert_eq!(created["messageRetentionDuration"], "600s");
    let messages = json!({"messages": [{"attributes": {"colour": "red"}}]});
    post(&server, &format!("{topic}:publish"), messages).await;

    let late = "projects/orderflow/subscriptions/late";
    create(late, json!({"topic": topic})).await;

    let pulled = post(&server, &format!("{late}:pull"), json!({"maxMessages": 10})).await;
    let received = &pulled["receivedMessages"][0];
    assert_eq!(received["message"]["attributes"]["colour"], "red");
}

#[tokio::test]
async fn the_subscriptions_of_a_project_are_listed() {
    let server = TestServer::start().await;
    let path = "projects/orderflow/subscriptions";

    let (status, list) = call(&server, Method::GET, path, json!({})).await;

    assert_eq!(status, 200, "{list}");
    let subscriptions = list["subscriptions"].as_array().unwrap().iter();
    let names: Vec<_> = subscriptions.map(|one| one["name"].clone()).collect();
    let names_of = ["email", "order.classified.dlq", "orders"];
    assert_eq!(names, names_of.map(|id| json!(format!("{path}/{id}"))));
}

#[tokio::test]
async fn what_is_not_here_is_unimplemented() {
    let server = TestServer::start().await;
    for (method, path) in [
        (Method::GET, "projects/orderflow/topics"),
        (Method::DELETE, TOPIC),
        (Method::PATCH, ORDERS),
        (Method::GET, "projects/orderflow/subscriptions?pageSize=1"),
        (Method::GET, "projects/orderflow/snapshots"),
        (
            Method::POST,
            concat!("projects/orderflow/subscriptions/orders", ":detach"),
        ),
    ] {
        let (status, answer) = call(&server, method, path, json!({})).await;
        assert_eq!(status, 501, "{path}: {answer}");
        assert_eq!(answer["error"]["status"], "UNIMPLEMENTED");
    }
}

#[tokio::test]
async fn what_is_not_here_is_unimplemented_over_grpc_too() {
    let server = TestServer::start().await;
    let client = reqwest::Client::builder().build().unwrap();
    let url = format!("{}/google.pubsub.v1.Publisher/CreateTopic", server.url());
    let request = client.post(url).header("content-type", "application/grpc");

    let answer = in_time(request.send()).await.unwrap();

    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["grpc-status"], "12");
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
            Method::PUT,
            "projects/orderflow/subscriptions/audit",
            json!({"topic": TOPIC, "enableExactlyOnceDelivery": true}),
            (400, "INVALID_ARGUMENT"),
        ),
    ] {
        let (status, answer) = call(&server, method, path, body).await;
        assert_eq!(status, expected.0, "{path}: {answer}");
        assert_eq!(answer["error"]["code"], expected.0);
        assert_eq!(answer["error"]["status"], expected.1);
        assert!(answer["error"]["message"].is_string());
    }
}
