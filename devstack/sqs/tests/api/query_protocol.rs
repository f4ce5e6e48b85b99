//! Requests as a script writes them with curl, as `scripts/fault.sh` does.

use reqwest::{Client, Response, StatusCode};

use crate::helpers::Server;

async fn get(server: &Server, path: &str) -> Response {
    let http = Client::builder().build().unwrap();
    let request = http.get(format!("{}{path}", server.endpoint));
    request.send().await.unwrap()
}

async fn post(server: &Server, path: &str, form: &str) -> Response {
    let http = Client::builder().build().unwrap();
    let request = http
        .post(format!("{}{path}", server.endpoint))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_script_finds_a_queue_and_sends_to_it() {
    let server = Server::start().await;
    let found = get(&server, "/?Action=GetQueueUrl&QueueName=jobs").await;
    let found = found.text().await.unwrap();
    let url = format!("<QueueUrl>{}</QueueUrl>", server.queue_url);
    assert!(found.contains(&url), "{found}");
    let form = "Action=SendMessage&MessageBody=a%3Cb";
    let sent = post(&server, "/000000000000/jobs", form).await;
    assert_eq!(sent.status(), StatusCode::OK);
    assert!(sent.text().await.unwrap().contains("<MessageId>"));
    let received = server.receive().await.unwrap();
    assert_eq!(received.body(), Some("a<b"));
}

#[tokio::test]
async fn an_error_carries_the_code_of_old() {
    let server = Server::start().await;
    let missing = post(&server, "/", "Action=GetQueueUrl&QueueName=missing").await;
    assert_eq!(missing.status(), StatusCode::BAD_REQUEST);
    let error = missing.text().await.unwrap();
    assert!(error.contains("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"));
}

#[tokio::test]
async fn everything_else_is_for_aws_json() {
    let server = Server::start().await;
    let purge = get(&server, "/000000000000/jobs?Action=PurgeQueue").await;
    assert_eq!(purge.status(), StatusCode::BAD_REQUEST);
    assert!(
        purge
            .text()
            .await
            .unwrap()
            .contains("<Code>InvalidAction</Code>")
    );
    let form = "Action=SendMessage&MessageBody=a&MessageAttribute.1.Name=n";
    let listed = post(&server, "/000000000000/jobs", form).await;
    assert_eq!(listed.status(), StatusCode::BAD_REQUEST);
    let nothing = get(&server, "/").await;
    assert_eq!(nothing.status(), StatusCode::BAD_REQUEST);
    assert!(server.receive().await.is_none());
}
