use std::rc::Rc;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::types::QueueAttributeName;
use otel_messaging::sqs::{Client, Producer};
use otel_messaging::{Outgoing, ReceiveError, Settings, stack};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::broker::{Broker, DeadLetter, Event, Work, run, unique};

/// Stand-ins want a key, and any will do.
const KEY: &str = "conformance";

pub(crate) struct Sqs {
    sdk: aws_sdk_sqs::Client,
    queue: String,
    letters: String,
    producer: Producer,
    _stand_in: Option<DropGuard>,
}

impl Sqs {
    async fn create(sdk: &aws_sdk_sqs::Client, suffix: &str) -> Self {
        let queue = unique("queue");
        let (queue, letters) = (format!("{queue}{suffix}"), format!("{queue}-dlq{suffix}"));
        let fifo = (!suffix.is_empty()).then_some("true");
        create(sdk, &queue, fifo).await;
        create(sdk, &letters, fifo).await;
        let producer = Client::new(sdk.clone()).producer(&queue).await.unwrap();
        Self {
            sdk: sdk.clone(),
            queue,
            letters,
            producer,
            _stand_in: None,
        }
    }

    async fn url(&self, queue: &str) -> String {
        let found = self.sdk.get_queue_url().queue_name(queue).send().await;
        found.unwrap().queue_url.unwrap()
    }
}

impl Broker for Sqs {
    const PART: &'static str = "sqs";
    const ADDRESS: &'static str = "AWS_ENDPOINT_URL_SQS";
    const SYSTEM: &'static str = "aws_sqs";
    const RECEIVES_BATCHES: bool = true;
    // SQS takes 1 MiB with the attributes, of which a letter has more.
    const TOO_LARGE_FOR_A_LETTER: usize = 1024 * 1024 - 100;

    async fn start(address: Option<String>) -> Self {
        let (endpoint, stand_in) = match address {
            Some(endpoint) => (endpoint, None),
            None => stand_in().await,
        };
        Self {
            _stand_in: stand_in,
            ..Self::create(&sdk(&endpoint).await, "").await
        }
    }

    async fn in_order(self: &Rc<Self>) -> Rc<Self> {
        Rc::new(Self::create(&self.sdk, ".fifo").await)
    }

    fn destination(&self) -> &str {
        &self.queue
    }

    async fn send(&self, event: Outgoing<'_, Event>) {
        self.producer.send(event).await.unwrap();
    }

    async fn send_batch(&self, events: &[Event]) {
        for sent in self.producer.send_batch(events).await {
            sent.unwrap();
        }
    }

    async fn send_foreign(&self, payload: &str) {
        let message = self
            .sdk
            .send_message()
            .queue_url(self.url(&self.queue).await);
        message.message_body(payload).send().await.unwrap();
    }

    async fn consume(
        &self,
        work: Work,
        settings: Settings,
        shutdown: CancellationToken,
    ) -> Result<(), ReceiveError> {
        let client = Client::new(self.sdk.clone());
        let letters = client.producer(&self.letters).await.unwrap();
        let consumer = client.consumer(&self.queue, &settings).await.unwrap();
        run!(consumer.with_dead_letters(letters), work, shutdown)
    }

    async fn next_dead_letter(&self) -> DeadLetter {
        loop {
            let receive = self.sdk.receive_message();
            let receive = receive.queue_url(self.url(&self.letters).await);
            let receive = receive.wait_time_seconds(20).message_attribute_names("All");
            let received = receive.send().await.unwrap();
            if let [letter, ..] = received.messages() {
                let attributes = letter.message_attributes().unwrap().iter();
                return DeadLetter {
                    payload: letter.body().unwrap().to_owned(),
                    headers: attributes
                        .map(|(name, value)| (name.clone(), value.string_value().unwrap().into()))
                        .collect(),
                };
            }
        }
    }

    async fn take_away(&self) {
        let url = self.url(&self.queue).await;
        self.sdk.delete_queue().queue_url(url).send().await.unwrap();
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

pub(crate) async fn sdk(endpoint: &str) -> aws_sdk_sqs::Client {
    let credentials = Credentials::new(KEY, KEY, None, None, "conformance");
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials);
    aws_sdk_sqs::Client::new(&config.load().await)
}

pub(crate) async fn create(sdk: &aws_sdk_sqs::Client, queue: &str, fifo: Option<&str>) {
    let mut request = sdk.create_queue().queue_name(queue);
    if let Some(fifo) = fifo {
        request = request.attributes(QueueAttributeName::FifoQueue, fifo);
    }
    request.send().await.unwrap();
}
