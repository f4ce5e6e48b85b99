use aws_sdk_sqs::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::{Message, MessageAttributeValue, MessageSystemAttributeName},
};
use sqs::{QueueConfig, Queues};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// A server on a free port with the queues `jobs` and `jobs-dlq`, and the official client for it.
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) endpoint: String,
    /// Of the queue `jobs`.
    pub(crate) queue_url: String,
    pub(crate) shutdown: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let jobs = QueueConfig::new("jobs").with_redrive("jobs-dlq", 2);
        let queues = Queues::new()
            .with_queue(jobs)
            .with_queue(QueueConfig::new("jobs-dlq"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(sqs::serve(listener, queues, shutdown.clone()));
        Self {
            client: client(&endpoint),
            queue_url: format!("{endpoint}/000000000000/jobs"),
            endpoint,
            shutdown,
            tasks,
        }
    }

    /// Waits until the server has ended by itself.
    pub(crate) async fn ended(mut self) {
        self.tasks.join_next().await.unwrap().unwrap().unwrap();
    }

    pub(crate) async fn send(&self, body: &str) {
        let send = self.client.send_message().queue_url(&self.queue_url);
        send.message_body(body).send().await.unwrap();
    }

    /// Receives one message with everything there is to know about it.
    pub(crate) async fn receive(&self) -> Option<Message> {
        let receive = self.client.receive_message().queue_url(&self.queue_url);
        let received = receive
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .unwrap();
        received.messages.unwrap_or_default().pop()
    }

    /// Makes a received message ready again.
    pub(crate) async fn give_back(&self, message: &Message) {
        let change = self.client.change_message_visibility();
        change
            .queue_url(&self.queue_url)
            .receipt_handle(message.receipt_handle().unwrap())
            .visibility_timeout(0)
            .send()
            .await
            .unwrap();
    }
}

fn client(endpoint: &str) -> Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(endpoint)
        .build();
    Client::from_conf(config)
}

pub(crate) fn text(value: &str) -> MessageAttributeValue {
    attribute("String").string_value(value).build().unwrap()
}

pub(crate) fn attribute(
    data_type: &str,
) -> aws_sdk_sqs::types::builders::MessageAttributeValueBuilder {
    MessageAttributeValue::builder().data_type(data_type)
}
