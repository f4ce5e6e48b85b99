//! Sends a record in a trace and receives it in the same trace; silence is success.
//! `cargo run --features kafka --example kafka -- localhost:9092`

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use otel_carriers::kafka::{MetadataExtractor, MetadataInjector};
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message, message::OwnedHeaders, util::Timeout};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let w3c = otel_carriers::w3c::propagator();
    let tracer = SdkTracerProvider::default().tracer("example");
    let sent = opentelemetry::Context::new().with_span(tracer.start("send orders"));
    let mut config = ClientConfig::new();
    let brokers = std::env::args().nth(1).ok_or("which brokers?")?;
    config.set("bootstrap.servers", brokers);

    let mut headers = OwnedHeaders::new();
    w3c.inject_context(&sent, &mut MetadataInjector::new(&mut headers));
    let record = FutureRecord::to("orders").key("7").payload("an order");
    let producer: FutureProducer = config.create()?;
    let sending = producer.send(record.headers(headers), Timeout::Never);
    sending.await.map_err(|(error, _)| error)?;

    config.set("group.id", "carriers-example");
    let consumer: StreamConsumer = config.set("auto.offset.reset", "earliest").create()?;
    consumer.subscribe(&["orders"])?;
    let record = consumer.recv().await?;
    let carrier = MetadataExtractor::new(record.headers());
    let received = w3c.extract_with_context(&opentelemetry::Context::new(), &carrier);
    let trace = |context: &opentelemetry::Context| context.span().span_context().trace_id();
    assert_eq!(trace(&received), trace(&sent));
    Ok(consumer.commit_message(&record, CommitMode::Sync)?)
}
