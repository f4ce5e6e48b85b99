//! Requests as SDKs of the query protocol write them, one parameter per list item.

use reqwest::StatusCode;

use crate::helpers::Server;

async fn post(server: &Server, path: &str, form: &str) -> (StatusCode, String) {
    let http = reqwest::Client::builder().build().unwrap();
    let request = http
        .post(format!("{}{path}", server.endpoint))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    let response = request.send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_message_travels_with_its_attributes() {
    let server = Server::start().await;
    let (status, sent) = post(
        &server,
        "/000000000000/jobs",
        "Action=SendMessage&Version=2012-11-05&MessageBody=a%3Cb&MessageAttribute.1.Name=timestamp\
         &MessageAttribute.1.Value.DataType=Number&MessageAttribute.1.Value.StringValue=1493147359900",
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    assert!(sent.contains("<SendMessageResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><SendMessageResult>"));
    assert!(sent.contains(
        "<MD5OfMessageAttributes>235c5c510d26fb653d073faed50ae77c</MD5OfMessageAttributes>"
    ));
    let (_, received) = post(
        &server,
        "/000000000000/jobs",
        "Action=ReceiveMessage&MessageAttributeName.1=All&AttributeName.1=ApproximateReceiveCount",
    )
    .await;
    assert!(received.contains("<Body>a&lt;b</Body>"));
    assert!(
        received.contains(
            "<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>"
        )
    );
    assert!(received.contains("<MessageAttribute><Name>timestamp</Name><Value>"));
}

#[tokio::test]
async fn an_error_carries_the_code_of_old() {
    let server = Server::start().await;
    let (status, error) = post(&server, "/", "Action=GetQueueUrl&QueueName=missing").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(error.contains("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"));
    let (status, error) = post(&server, "/", "Action=MakeCoffee").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(error.contains("<Code>InvalidAction</Code>"));
}

#[tokio::test]
async fn an_operation_without_an_answer_has_no_result() {
    let server = Server::start().await;
    let form = "Action=PurgeQueue&QueueUrl=http%3A%2F%2Flocalhost%2F000000000000%2Fjobs";
    let (status, purged) = post(&server, "/", form).await;
    assert_eq!(status, StatusCode::OK);
    assert!(purged.contains("<PurgeQueueResponse"));
    assert!(!purged.contains("Result>"));
}

#[tokio::test]
async fn both_protocols_see_the_same_queue() {
    let server = Server::start().await;
    server.send("from json").await;
    let (_, received) = post(&server, "/000000000000/jobs", "Action=ReceiveMessage").await;
    assert!(received.contains("<Body>from json</Body>"));
}

#[tokio::test]
async fn a_fifo_queue_tells_sequence_number_group_and_deduplication_id() {
    let server = Server::start().await;
    let (status, _) = post(
        &server,
        "/",
        "Action=CreateQueue&QueueName=orders.fifo&Attribute.1.Name=FifoQueue&Attribute.1.Value=true",
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    let (_, sent) = post(
        &server,
        "/000000000000/orders.fifo",
        "Action=SendMessage&MessageBody=a&MessageGroupId=order-7&MessageDeduplicationId=one",
    )
    .await;
    assert!(sent.contains("<SequenceNumber>"), "{sent}");
    let (_, received) = post(
        &server,
        "/000000000000/orders.fifo",
        "Action=ReceiveMessage&ReceiveRequestAttemptId=first&AttributeName.1=All",
    )
    .await;
    for (name, value) in [
        ("MessageGroupId", "order-7"),
        ("MessageDeduplicationId", "one"),
    ] {
        let attribute = format!("<Attribute><Name>{name}</Name><Value>{value}</Value></Attribute>");
        assert!(received.contains(&attribute), "{received}");
    }
    assert!(received.contains("<Name>SequenceNumber</Name>"));
}
