use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::helpers::{Server, request};

async fn status(server: &Server, text: &str) -> u16 {
    let body = request(json!({ "input": text })).to_string();
    server.post(body).await.status().as_u16()
}

/// What `/faults` answers, and whether it is success.
async fn switch(server: &Server, method: Method, body: &str) -> (bool, Value) {
    let url = format!("{}/faults", server.url);
    let request = server.client.request(method, url);
    let request = request.header("content-type", "application/json");
    let response = request.body(body.to_owned()).send().await;
    let response = response.expect("an answer");
    (
        response.status().is_success(),
        response.json().await.expect("JSON"),
    )
}

#[tokio::test]
async fn is_unavailable_for_the_first_requests_of_each_text() {
    let server = Server::start_with(&["unavailable:2"]).await;
    for text in ["milk", "glass"] {
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(status(&server, text).await);
        }
        assert_eq!(answers, [503, 503, 200, 200], "{text}");
    }
    assert_eq!(server.get("/v1/models").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn says_in_openais_shape_when_to_come_again() {
    let server = Server::start_with(&["rate_limit"]).await;
    let response = server
        .post(request(json!({ "input": "x" })).to_string())
        .await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "1");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "rate_limit_exceeded");
}

#[tokio::test]
async fn is_seen_to_be_unavailable_also_by_who_asks_for_models() {
    let server = Server::start_with(&["unavailable"]).await;
    assert_eq!(server.get("/v1/models").await.status(), 503);
    assert_eq!(server.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn refuses_texts_with_a_word_and_no_others() {
    let server = Server::start_with(&["refuse:unlucky"]).await;
    assert_eq!(status(&server, "an Unlucky order").await, 400);
    assert_eq!(status(&server, "a lucky order").await, 200);
    let fields = json!({ "input": ["milk", "unlucky"] });
    assert_eq!(server.refusal(fields).await.1["param"], "input");
}

#[tokio::test]
async fn hangs_up_in_the_middle_of_the_answer() {
    let server = Server::start_with(&["hang_up:1"]).await;
    let url = format!("{}/v1/embeddings", server.url);
    let body = request(json!({ "input": "milk" })).to_string();
    let answer = server.client.post(url).body(body).send().await;
    let broken = match answer {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(broken);
    assert_eq!(status(&server, "milk").await, 200);
}

#[tokio::test]
async fn takes_its_time() {
    let server = Server::start_with(&["slow:200"]).await;
    let begun = Instant::now();
    assert_eq!(status(&server, "milk").await, 200);
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_fault_neither_hides_nor_changes_what_is_wrong_with_a_request() {
    let server = Server::start_with(&["unavailable:1"]).await;
    let (status, error) = server.refusal(json!({ "input": [] })).await;
    assert_eq!(
        (status, &error["param"]),
        (StatusCode::BAD_REQUEST, &json!("input"))
    );
    let huge = vec![b' '; 5 * 1024 * 1024];
    assert_eq!(
        server.post(huge).await.status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn is_broken_and_mended_while_it_runs() {
    let server = Server::start().await;
    let none = json!({ "faults": [] });
    assert_eq!(switch(&server, Method::GET, "").await, (true, none.clone()));
    let faults = json!({ "faults": ["unavailable", "slow:1"] });
    let put = switch(&server, Method::PUT, &faults.to_string()).await;
    assert_eq!(put, (true, faults.clone()));
    assert_eq!(switch(&server, Method::GET, "").await, (true, faults));
    assert_eq!(status(&server, "milk").await, 503);
    assert_eq!(switch(&server, Method::DELETE, "").await, (true, none));
    assert_eq!(status(&server, "milk").await, 200);
}

#[tokio::test]
async fn says_what_is_wrong_with_faults_and_keeps_those_there_are() {
    let server = Server::start_with(&["unavailable"]).await;
    for (body, expected) in [
        (json!({ "faults": ["broken"] }), "is not one of unavailable"),
        (json!({ "faults": "slow:1" }), "expected a sequence"),
        (json!({ "fault": [] }), "unknown field `fault`"),
    ] {
        let (success, answer) = switch(&server, Method::PUT, &body.to_string()).await;
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(!success && message.contains(expected), "{message}");
    }
    assert_eq!(status(&server, "milk").await, 503);
}
