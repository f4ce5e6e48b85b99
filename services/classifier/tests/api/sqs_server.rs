//! An SQS of the test's own, and a stranger who sends jobs and reads dead letters.

use reqwest::Client;
use serde_json::{Value, json};
use sqs::{QueueConfig, Queues};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const JOBS: &str = "classification-jobs";
const DEAD_LETTERS: &str = "classification-jobs-dlq";

pub(crate) struct Sqs {
    pub(crate) endpoint: String,
    client: Client,
    /// Aborted when dropped.
    _server: JoinSet<anyhow::Result<()>>,
}

/// A job that was given up.
#[derive(Debug)]
pub(crate) struct DeadLetter {
    pub(crate) payload: Value,
    pub(crate) reason: String,
}

impl Sqs {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let queues = Queues::new()
            .with_queue(QueueConfig::new(JOBS).with_redrive(DEAD_LETTERS, 20))
            .with_queue(QueueConfig::new(DEAD_LETTERS));
        let mut server = JoinSet::new();
        server.spawn(sqs::serve(listener, queues, CancellationToken::new()));
        Self {
            endpoint,
            client: Client::builder().build().unwrap(),
            _server: server,
        }
    }

    pub(crate) async fn send_job(&self, job: &Value) {
        let message = json!({"QueueUrl": self.url(JOBS), "MessageBody": job.to_string()});
        self.call("SendMessage", &message).await;
    }

    /// Waits for the next dead letter.
    pub(crate) async fn next_dead_letter(&self) -> DeadLetter {
        let receive = json!({
            "QueueUrl": self.url(DEAD_LETTERS), "WaitTimeSeconds": 20, "MessageAttributeNames": ["All"],
        });
        loop {
            let received = self.call("ReceiveMessage", &receive).await;
            let message = &received["Messages"][0];
            if let Some(body) = message["Body"].as_str() {
                let reason = &message["MessageAttributes"]["dead-letter-reason"]["StringValue"];
                return DeadLetter {
                    payload: serde_json::from_str(body).unwrap(),
                    reason: reason.as_str().unwrap().to_owned(),
                };
            }
        }
    }

    fn url(&self, queue: &str) -> String {
        format!("{}/000000000000/{queue}", self.endpoint)
    }

    /// AWS JSON 1.0; the stand-in checks no signature.
    async fn call(&self, operation: &str, input: &Value) -> Value {
        let request = self
            .client
            .post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AmazonSQS.{operation}"))
            .body(input.to_string());
        let answer = request.send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }
}
