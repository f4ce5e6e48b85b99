//! Letters of each broker, from the consumer that gave them up to the one that gets them again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otel_messaging::{
    Delivery, Handler, HandlerError, Outgoing, Settings, kafka, pubsub, sqs, stack,
};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use serde_json::{Value, json};
use telemetry::testing::Recorder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::kafka::Kafka;
use super::ledger::Ledger;
use super::list::{self, Row};
use super::place::{Broker, PLACES, Place};
use super::pubsub::PubSub;
use super::redrive::{Redrive, Report};
use super::servers::Brokers;
use super::show;
use super::sqs::Sqs;
use crate::topology;
use crate::topology::PUBSUB_PROJECT;

/// Longer than any broker here needs, also on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// The three brokers' stand-ins, and a folder to remember in.
struct Site {
    brokers: Brokers,
    ledger: Ledger,
    stop: CancellationToken,
    _kafka: MockCluster<'static, DefaultProducerContext>,
    _folder: TempDir,
    _servers: JoinSet<anyhow::Result<()>>,
}

impl Site {
    async fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        for (topic, partitions) in topology::TOPICS {
            cluster.create_topic(topic, partitions, 1).unwrap();
        }
        let mut servers = JoinSet::new();
        let (listener, sqs_address) = listen().await;
        let queues = topology::queues().into_iter();
        let queues = queues.fold(::sqs::Queues::new(), ::sqs::Queues::with_queue);
        servers.spawn(::sqs::serve(listener, queues, CancellationToken::new()));
        let (listener, pubsub_address) = listen().await;
        let resources = topology::resources();
        servers.spawn(::pubsub::serve(
            listener,
            resources,
            CancellationToken::new(),
        ));
        let endpoint = format!("http://{sqs_address}");
        let folder = tempfile::tempdir().unwrap();
        Self {
            brokers: Brokers {
                kafka: Kafka {
                    brokers: cluster.bootstrap_servers(),
                },
                sqs: Sqs::new(&endpoint, "us-east-1".to_owned(), "me", "secret"),
                pubsub: PubSub::new(pubsub_address).unwrap(),
            },
            ledger: Ledger::of(folder.path()),
            stop: CancellationToken::new(),
            _kafka: cluster,
            _folder: folder,
            _servers: servers,
        }
    }

    async fn rows(&self, place: &'static Place) -> Vec<Row> {
        let ledger = self.ledger.entries().unwrap();
        let mut shelves = list::look(&self.brokers, &[place], &ledger).await;
        shelves.pop().unwrap().rows.unwrap()
    }

    /// The only letter, as soon as it is there.
    async fn only_row(&self, place: &'static Place) -> Row {
        let there = async {
            loop {
                if let Some(row) = self.rows(place).await.pop() {
                    return row;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.unwrap()
    }

    async fn show(&self, place: &'static Place, id: &str) -> String {
        let letters = self.brokers.glance(place).await.unwrap();
        let mut letters = letters.iter();
        let letter = letters.find(|letter| letter.about.id == id).unwrap();
        show::letter(letter, &self.ledger.entries().unwrap())
    }

    /// Without ids, all that are waiting.
    async fn redrive(&self, place: &'static Place, ids: &[String]) -> Report {
        let redrive = Redrive {
            brokers: &self.brokers,
            ledger: &self.ledger,
            ids,
        };
        redrive.run(&[place]).await.unwrap()
    }

    /// Follows the letter that is about to come into `place` to the handler that is then mended.
    async fn follow(&self, place: &'static Place, endpoint: &mut Endpoint, recorder: &Recorder) {
        let letter = self.only_row(place).await;
        assert!(letter.there && letter.redriven.is_none(), "{letter:?}");
        assert_eq!(letter.about.order_id.as_deref(), Some("order-7"));
        assert_eq!(letter.about.attempts, Some(1));
        assert_eq!(letter.about.reason.as_deref(), Some("it answers 400"));
        assert_eq!(
            self.only_row(place).await,
            letter,
            "looking changes nothing"
        );
        let shown = self.show(place, &letter.about.id).await;
        for part in [
            "order-7",
            "\"note\": \"as a gift\"",
            "it answers 400",
            "make trace ARGS=order-7",
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }

        endpoint.broken.store(false, Ordering::Relaxed);
        let named = [letter.about.id.clone()];
        let report = self.redrive(place, &named).await;

        assert!(report.failed.is_empty(), "{report:?}");
        let new = self
            .arrived_in_a_linked_trace(place, &letter, endpoint, recorder)
            .await;
        assert!(report.done[0].contains(&new), "{report:?}");
        let after = self.only_row(place).await;
        let redriven = after.redriven.as_ref().unwrap();
        assert_eq!(redriven.trace_id.as_deref(), Some(new.as_str()));
        assert_eq!(after.about.id, letter.about.id);
        assert_eq!(after.there, place.broker == Broker::Kafka);

        let report = self.redrive(place, &[]).await;
        assert!(
            report.done.is_empty() && report.failed.is_empty(),
            "{report:?}"
        );
        let report = self.redrive(place, &named).await;
        assert_eq!(report.done.len(), usize::from(after.there), "{report:?}");
    }

    /// Answers with the id of the new trace.
    async fn arrived_in_a_linked_trace(
        &self,
        place: &Place,
        letter: &Row,
        endpoint: &mut Endpoint,
        recorder: &Recorder,
    ) -> String {
        let got = tokio::time::timeout(PATIENCE, endpoint.taken.recv()).await;
        let (event, headers) = got.unwrap().unwrap();
        assert_eq!(event, self::event());
        assert!(headers.iter().any(|name| name == "tenant"), "{headers:?}");
        let about = |name: &String| name.starts_with("dead-letter");
        assert!(!headers.iter().any(about), "{headers:?}");

        let sent = recorder.spans().into_iter().find(|span| {
            span.name == format!("send {}", place.origin) && !span.links.links.is_empty()
        });
        let sent = sent.unwrap();
        let linked = &sent.links.links[0].span_context;
        assert_eq!(Some(linked.trace_id().to_string()), letter.about.trace_id);
        let new = sent.span_context.trace_id();
        assert_ne!(new, linked.trace_id());
        let processed = async {
            while !recorder.spans().iter().any(|span| {
                span.name == format!("process {}", place.origin)
                    && span.parent_span_id == sent.span_context.span_id()
                    && span.span_context.trace_id() == new
            }) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, processed).await.unwrap();
        new.to_string()
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

fn event() -> Value {
    json!({"order_id": "order-7", "note": "as a gift"})
}

fn outgoing(event: &Value) -> Outgoing<'_, Value> {
    Outgoing::new(event).key("order-7").header("tenant", "acme")
}

/// What a handler asks: every event is its fault while it is broken.
struct Asks {
    broken: Arc<AtomicBool>,
    taken: Mutex<mpsc::UnboundedSender<(Value, Vec<String>)>>,
}

struct Endpoint {
    broken: Arc<AtomicBool>,
    taken: mpsc::UnboundedReceiver<(Value, Vec<String>)>,
}

fn broken_endpoint() -> (Asks, Endpoint) {
    let broken = Arc::new(AtomicBool::new(true));
    let (sender, taken) = mpsc::unbounded_channel();
    let asks = Asks {
        broken: Arc::clone(&broken),
        taken: Mutex::new(sender),
    };
    (asks, Endpoint { broken, taken })
}

impl Handler for Asks {
    type Event = Value;

    async fn handle(&self, event: Value, delivery: &Delivery) -> Result<(), HandlerError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(HandlerError::reject(anyhow::anyhow!("it answers 400")));
        }
        let names = delivery.headers().iter().map(|(name, _)| name.to_owned());
        // The test has what it wants when nobody listens any more.
        self.taken.lock().await.send((event, names.collect())).ok();
        Ok(())
    }
}

#[tokio::test]
async fn a_letter_of_kafka_goes_back_and_stays_marked() {
    let recorder = Recorder::start();
    let site = Site::start().await;
    let client = kafka::Client::new(site.brokers.kafka.config());
    let settings = Settings::default();
    let consumer = client.consumer(&["order.created"], "classifier", &settings);
    let letters = client.producer("order.created.dlt").await.unwrap();
    let consumer = consumer.await.unwrap().with_dead_letters(letters);
    let producer = client.producer("order.created").await.unwrap();
    let (asks, mut endpoint) = broken_endpoint();
    let story = async {
        producer.send(outgoing(&event())).await.unwrap();
        site.follow(&PLACES[0], &mut endpoint, &recorder).await;
        site.stop.cancel();
    };
    let (ended, ()) = tokio::join!(consumer.run(stack::handle(asks), site.stop.clone()), story);
    ended.unwrap();
}

#[tokio::test]
async fn a_letter_of_sqs_goes_back_and_is_removed() {
    let recorder = Recorder::start();
    let site = Site::start().await;
    let client = sqs::Client::new(site.brokers.sqs.client.clone());
    let settings = Settings::default();
    let consumer = client.consumer("classification-jobs", &settings);
    let letters = client.producer("classification-jobs-dlq").await.unwrap();
    let consumer = consumer.await.unwrap().with_dead_letters(letters);
    let producer = client.producer("classification-jobs").await.unwrap();
    let (asks, mut endpoint) = broken_endpoint();
    let story = async {
        producer.send(outgoing(&event())).await.unwrap();
        site.follow(&PLACES[1], &mut endpoint, &recorder).await;
        site.stop.cancel();
    };
    let (ended, ()) = tokio::join!(consumer.run(stack::handle(asks), site.stop.clone()), story);
    ended.unwrap();
}

#[tokio::test]
async fn a_letter_of_pubsub_goes_back_and_is_removed() {
    let recorder = Recorder::start();
    let site = Site::start().await;
    let client = pubsub::Client::connect_emulator(&site.brokers.pubsub.host, PUBSUB_PROJECT);
    let client = client.await.unwrap();
    let settings = Settings::default();
    let consumer = client.consumer("orders", &settings);
    let letters = client.producer("order.classified.dlq").await.unwrap();
    let consumer = consumer.await.unwrap().with_dead_letters(letters);
    let producer = client.producer("order.classified").await.unwrap();
    let (asks, mut endpoint) = broken_endpoint();
    let story = async {
        producer.send(outgoing(&event())).await.unwrap();
        site.follow(&PLACES[2], &mut endpoint, &recorder).await;
        site.stop.cancel();
    };
    let (ended, ()) = tokio::join!(consumer.run(stack::handle(asks), site.stop.clone()), story);
    ended.unwrap();
}

/// Lays a message into the queue of dead letters, as anybody may.
async fn lay(site: &Site, body: &str, attributes: &[(&str, &str)]) {
    let client = &site.brokers.sqs.client;
    let url = client
        .get_queue_url()
        .queue_name(PLACES[1].name)
        .send()
        .await;
    let mut message = client.send_message().set_queue_url(url.unwrap().queue_url);
    for (name, value) in attributes {
        let value = aws_sdk_sqs::types::MessageAttributeValue::builder()
            .data_type("String")
            .string_value(*value)
            .build();
        message = message.message_attributes(*name, value.unwrap());
    }
    message.message_body(body).send().await.unwrap();
}

#[tokio::test]
async fn more_letters_than_a_receive_brings_are_all_listed_and_all_go_back() {
    let site = Site::start().await;
    for number in 0..25 {
        let order = json!({"order_id": format!("order-{number}")});
        lay(&site, &order.to_string(), &[]).await;
    }
    assert_eq!(site.rows(&PLACES[1]).await.len(), 25);
    let report = site.redrive(&PLACES[1], &[]).await;
    assert_eq!(
        (report.done.len(), report.failed.len()),
        (25, 0),
        "{report:?}"
    );
    let rows = site.rows(&PLACES[1]).await;
    assert_eq!(rows.len(), 25);
    assert!(
        rows.iter().all(|row| !row.there && row.redriven.is_some()),
        "{rows:?}"
    );
}

#[tokio::test]
async fn a_letter_of_elsewhere_stays_where_it_is() {
    let site = Site::start().await;
    lay(&site, "{}", &[("dead-letter-queue", "payments")]).await;
    let report = site.redrive(&PLACES[1], &[]).await;
    let message = format!("{:#}", report.failed[0]);
    assert!(message.contains("it comes from payments"), "{message}");
    let rows = site.rows(&PLACES[1]).await;
    assert!(rows[0].there && rows[0].redriven.is_none(), "{rows:?}");
}

#[tokio::test]
async fn a_letter_that_nobody_knows_is_named() {
    let site = Site::start().await;
    let report = site.redrive(&PLACES[1], &["0badcafe".to_owned()]).await;
    let message = format!("{:#}", report.failed[0]);
    assert!(message.contains("there is no letter 0badcafe"), "{message}");
}

#[tokio::test]
async fn a_broker_that_is_away_is_named_and_the_others_are_listed() {
    let mut site = Site::start().await;
    let (listener, address) = listen().await;
    drop(listener);
    site.brokers.pubsub = PubSub::new(address.clone()).unwrap();
    lay(&site, "garbage", &[]).await;
    let places: Vec<_> = PLACES.iter().collect();
    let shelves = list::look(&site.brokers, &places, &[]).await;

    let listed = list::render(&shelves);
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines[0], "order.created.dlt (Kafka): empty");
    assert_eq!(lines[1], "classification-jobs-dlq (SQS): 1 waiting");
    assert!(lines[2].contains("waiting  no reason is given"), "{listed}");
    assert_eq!(lines[3], "order.ended.dlt (Kafka): empty");
    let mut failed = shelves.into_iter().filter_map(|shelf| shelf.rows.err());
    let message = format!("{:#}", failed.next().unwrap());
    assert!(
        message.starts_with(&format!("Pub/Sub at {address}: ")),
        "{message}"
    );
    assert!(failed.next().is_none());
}
