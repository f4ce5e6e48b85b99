//! Publishes a message in a trace and receives it in the same trace; silence is success.
//! `cargo run --features pubsub --example pubsub -- projects/p/topics/t projects/p/subscriptions/s http://localhost:8085`

use google_cloud_auth::credentials::anonymous;
use google_cloud_pubsub::client::{Publisher, Subscriber};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use otel_carriers::pubsub::{MetadataExtractor, MetadataInjector};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let w3c = otel_carriers::w3c::propagator();
    let tracer = SdkTracerProvider::default().tracer("example");
    let sent = opentelemetry::Context::new().with_span(tracer.start("send orders"));
    let argument = |n| std::env::args().nth(n).ok_or("three arguments, please");
    // An emulator needs an endpoint and no credentials; Google's own service needs no word about either.
    let (endpoint, nobody) = (argument(3)?, anonymous::Builder::new().build());
    let publisher = Publisher::builder(argument(1)?).with_endpoint(&endpoint);
    let publisher = publisher.with_credentials(nobody.clone()).build().await?;
    let subscriber = Subscriber::builder().with_endpoint(endpoint);
    let subscriber = subscriber.with_credentials(nobody).build().await?;

    let mut attributes = std::collections::HashMap::new();
    w3c.inject_context(&sent, &mut MetadataInjector::new(&mut attributes));
    let message = google_cloud_pubsub::model::Message::new().set_data("an order");
    publisher
        .publish(message.set_attributes(attributes))
        .await?;

    let mut messages = subscriber.subscribe(argument(2)?).build();
    let (message, handler) = messages.next().await.ok_or("nothing came")??;
    let carrier = MetadataExtractor::new(&message.attributes);
    let received = w3c.extract_with_context(&opentelemetry::Context::new(), &carrier);
    let trace = |context: &opentelemetry::Context| context.span().span_context().trace_id();
    assert_eq!(trace(&received), trace(&sent));
    handler.ack();
    messages.shutdown_token().shutdown().await;
    Ok(())
}
