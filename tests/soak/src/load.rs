//! The load: records of some keys in turn, at a steady rate.

use std::time::Duration;

use futures::future::try_join_all;
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use tokio_util::sync::CancellationToken;

use crate::record::Record;

const TICK: Duration = Duration::from_millis(20);

/// Sends `rate` records a second until `stop`, and answers with how many of each key Kafka has.
pub(crate) async fn send(
    brokers: String,
    topic: String,
    keys: usize,
    rate: usize,
    stop: CancellationToken,
) -> anyhow::Result<Vec<usize>> {
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        // A record that is sent again must not come after the next of its key.
        .set("enable.idempotence", "true")
        .create()?;
    let each_tick = (rate / 50).max(1);
    let mut sent = vec![0; keys];
    let mut next_key = (0..keys).cycle();
    let mut ticks = tokio::time::interval(TICK);
    while !stop.is_cancelled() {
        ticks.tick().await;
        let records = next_key.by_ref().take(each_tick).map(|key| {
            let sequence = sent[key];
            sent[key] += 1;
            Record { key, sequence }
        });
        let records: Vec<_> = records.collect();
        try_join_all(
            records
                .iter()
                .map(|record| deliver(&producer, &topic, record)),
        )
        .await?;
    }
    Ok(sent)
}

async fn deliver(producer: &FutureProducer, topic: &str, record: &Record) -> anyhow::Result<()> {
    let (key, payload) = (record.key.to_string(), serde_json::to_vec(record)?);
    let record = FutureRecord::to(topic).key(&key).payload(&payload);
    let sent = producer.send(record, Timeout::Never).await;
    sent.map_err(|(error, _)| error)?;
    Ok(())
}
