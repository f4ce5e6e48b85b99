use futures::future::try_join_all;
use google_cloud_auth::credentials::anonymous;
use google_cloud_pubsub::client::{Publisher, Subscriber, SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::model::Message;
use otel_messaging::pubsub::Client;
use otel_messaging::{Settings, stack};

use crate::measure::{Count, Order};

const PROJECT: &str = "throughput";
/// Messages that are published before their acknowledgements are waited for.
const AT_ONCE: usize = 5000;

fn topic_path(name: &str) -> String {
    format!("projects/{PROJECT}/topics/{name}")
}

fn subscription_path(name: &str) -> String {
    format!("projects/{PROJECT}/subscriptions/{name}")
}

/// A topic and its subscription have the same name.
pub(crate) async fn fill(host: &str, name: &str, messages: usize) -> anyhow::Result<()> {
    create(host, name).await?;
    let publisher = Publisher::builder(topic_path(name))
        .with_endpoint(format!("http://{host}"))
        .with_credentials(anonymous::Builder::new().build())
        .build()
        .await?;
    for first in (0..messages).step_by(AT_ONCE) {
        let sends = (first..messages.min(first + AT_ONCE)).map(|number| {
            let message = Message::new()
                .set_data(Order::number(number).to_json())
                .set_attributes([("traceparent", Order::traceparent(number))]);
            publisher.publish(message)
        });
        let sends: Vec<_> = sends.collect();
        try_join_all(sends).await?;
    }
    Ok(())
}

async fn create(host: &str, name: &str) -> anyhow::Result<()> {
    let topics = TopicAdmin::builder()
        .with_endpoint(format!("http://{host}"))
        .with_credentials(anonymous::Builder::new().build());
    let topic = topics
        .build()
        .await?
        .create_topic()
        .set_name(topic_path(name));
    topic.send().await?;
    let subscriptions = SubscriptionAdmin::builder()
        .with_endpoint(format!("http://{host}"))
        .with_credentials(anonymous::Builder::new().build());
    let subscriptions = subscriptions.build().await?;
    let subscription = subscriptions
        .create_subscription()
        .set_name(subscription_path(name))
        .set_topic(topic_path(name));
    subscription.send().await?;
    Ok(())
}

pub(crate) async fn bare(host: &str, name: &str, count: &Count) -> anyhow::Result<()> {
    let subscriber = Subscriber::builder()
        .with_endpoint(format!("http://{host}"))
        .with_credentials(anonymous::Builder::new().build())
        .build()
        .await?;
    let mut stream = subscriber.subscribe(subscription_path(name)).build();
    while !count.done().is_cancelled() {
        let Some(next) = stream.next().await else {
            break;
        };
        let (message, receipt) = next?;
        let order: Order = serde_json::from_slice(&message.data)?;
        std::hint::black_box(order);
        count.add();
        receipt.ack();
    }
    Ok(())
}

pub(crate) async fn ours(host: &str, name: &str, count: &Count) -> anyhow::Result<()> {
    let client = Client::connect_emulator(host, PROJECT).await?;
    let consumer = client.consumer(name, &Settings::default()).await?;
    consumer
        .run(stack::handle(count.clone()), count.done())
        .await?;
    Ok(())
}
