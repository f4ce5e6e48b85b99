//! The queues' own numbers, in AWS JSON 1.0.

use std::time::Duration;

use anyhow::{Context, ensure};
use domain::ClassificationJob;
use reqwest::Client;
use serde_json::{Value, json};

use crate::books::Waiting;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Those that can be received, those in somebody's hand and those that are to come again later.
const NUMBERS: [&str; 3] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
];

#[derive(Debug, Clone)]
pub(super) struct Sqs {
    http: Client,
    endpoint: String,
}

impl Sqs {
    pub(super) fn at(endpoint: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: Client::builder().timeout(TIMEOUT).no_proxy().build()?,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
        })
    }

    pub(super) async fn waiting(&self) -> anyhow::Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        for queue in [ClassificationJob::QUEUE, ClassificationJob::DEAD_LETTERS] {
            waiting.push(Waiting {
                place: queue.to_owned(),
                messages: self.messages(queue).await?,
                dead: queue == ClassificationJob::DEAD_LETTERS,
            });
        }
        Ok(waiting)
    }

    pub(super) async fn empty(&self) -> anyhow::Result<()> {
        let url = self.url(ClassificationJob::QUEUE).await?;
        self.call("PurgeQueue", &json!({"QueueUrl": url})).await?;
        Ok(())
    }

    pub(super) async fn send(&self, queue: &str, body: &Value) -> anyhow::Result<()> {
        let url = self.url(queue).await?;
        let request = json!({"QueueUrl": url, "MessageBody": body.to_string()});
        self.call("SendMessage", &request).await?;
        Ok(())
    }

    async fn url(&self, queue: &str) -> anyhow::Result<Value> {
        let request = json!({"QueueName": queue});
        let mut answer = self.call("GetQueueUrl", &request).await?;
        Ok(answer["QueueUrl"].take())
    }

    async fn messages(&self, queue: &str) -> anyhow::Result<i64> {
        let url = self.url(queue).await?;
        let request = json!({"QueueUrl": url, "AttributeNames": NUMBERS});
        let answer = self.call("GetQueueAttributes", &request).await?;
        let numbers = NUMBERS.map(|name| answer["Attributes"][name].as_str()?.parse::<i64>().ok());
        let numbers: Option<Vec<_>> = numbers.into_iter().collect();
        let numbers = numbers.with_context(|| format!("the numbers of {queue}: {answer}"))?;
        Ok(numbers.iter().sum())
    }

    async fn call(&self, operation: &str, request: &Value) -> anyhow::Result<Value> {
        let response = self
            .http
            .post(format!("{}/", self.endpoint))
            .header("x-amz-target", format!("AmazonSQS.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(request.to_string())
            .send()
            .await?;
        let (status, body) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "{operation}: {status}: {body}");
        // Some operations have nothing to say.
        Ok(serde_json::from_str(&body).unwrap_or_default())
    }
}
