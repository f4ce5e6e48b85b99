use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::types::QueueAttributeName;
use otel_messaging::StoredContext;
use otel_messaging::sqs::{Address, Consumer, Keys, Producer};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::broker::{Broker, DeadLetter, Event, settings, unique};
use crate::handler::Scripted;

/// Stand-ins want a key, and any will do.
const KEY: &str = "conformance";

/// How long the messages of a consumer that died stay away: a test waits for them.
const VISIBILITY_SECONDS: &str = "3";

pub(crate) struct Sqs {
    address: Address,
    client: Client,
    queue: String,
    url: String,
    letters_url: String,
    producer: Producer,
    _stand_in: Option<DropGuard>,
}

impl Broker for Sqs {
    const PART: &'static str = "sqs";
    const ADDRESS: &'static str = "AWS_ENDPOINT_URL_SQS";
    const SYSTEM: &'static str = "aws_sqs";
    const RECEIVES_BATCHES: bool = true;

    async fn start(address: Option<String>) -> Self {
        let (endpoint, stand_in) = match address {
            Some(endpoint) => (endpoint, None),
            None => stand_in().await,
        };
        let client = client(&endpoint).await;
        let address = Address {
            aws_endpoint_url_sqs: Some(endpoint),
            aws_region: "us-east-1".to_owned(),
            keys: Some(Keys {
                aws_access_key_id: KEY.to_owned(),
                aws_secret_access_key: KEY.to_owned(),
                aws_session_token: None,
            }),
        };
        let queue = unique("queue");
        let url = create(&client, &queue).await;
        let letters_url = create(&client, &format!("{queue}-dlq")).await;
        let producer = Producer::connect(&address, &queue).await.unwrap();
        Self {
            address,
            client,
            queue,
            url,
            letters_url,
            producer,
            _stand_in: stand_in,
        }
    }

    fn destination(&self) -> &str {
        &self.queue
    }

    async fn send(&self, event: &Event) {
        self.producer.send(event).await.unwrap();
    }

    async fn send_from(&self, context: &StoredContext, event: &Event) {
        self.producer.send_from(context, event).await.unwrap();
    }

    async fn send_foreign(&self, payload: &str) {
        let message = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(payload);
        message.send().await.unwrap();
    }

    async fn consume(&self, handler: Scripted, shutdown: CancellationToken) {
        let consumer = Consumer::connect(&self.address, &settings(), &self.queue).await;
        consumer.unwrap().run(handler, shutdown).await;
    }

    async fn next_dead_letter(&self) -> DeadLetter {
        loop {
            let receive = self.client.receive_message().queue_url(&self.letters_url);
            let receive = receive.wait_time_seconds(20).message_attribute_names("All");
            let received = receive.send().await.unwrap();
            if let [letter, ..] = received.messages() {
                let reason = &letter.message_attributes().unwrap()["orderflow-dead-letter-reason"];
                return DeadLetter {
                    payload: letter.body().unwrap().to_owned(),
                    reason: reason.string_value().unwrap().to_owned(),
                };
            }
        }
    }
}

async fn stand_in() -> (String, Option<DropGuard>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let server = sqs::serve(listener, sqs::Queues::new(), shutdown.clone());
    #[expect(
        clippy::disallowed_methods,
        reason = "the stand-in lives as long as the test"
    )]
    tokio::spawn(server);
    (endpoint, Some(shutdown.drop_guard()))
}

async fn client(endpoint: &str) -> Client {
    let credentials = Credentials::new(KEY, KEY, None, None, "conformance");
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials);
    Client::new(&config.load().await)
}

async fn create(client: &Client, queue: &str) -> String {
    let created = client
        .create_queue()
        .queue_name(queue)
        .attributes(QueueAttributeName::VisibilityTimeout, VISIBILITY_SECONDS)
        .send()
        .await
        .unwrap();
    created.queue_url.unwrap()
}
