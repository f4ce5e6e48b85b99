//! Sends a message in a trace and receives it in the same trace; silence is success.
//! `AWS_ENDPOINT_URL_SQS=http://localhost:9324 cargo run --features sqs --example sqs -- <queue URL>`

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use otel_carriers::sqs::{MetadataExtractor, MetadataInjector, PROPAGATION_ATTRIBUTES};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let w3c = otel_carriers::w3c::propagator();
    let tracer = SdkTracerProvider::default().tracer("example");
    let sent = opentelemetry::Context::new().with_span(tracer.start("send orders"));
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let client = aws_sdk_sqs::Client::new(&config);
    let queue = std::env::args().nth(1).ok_or("which queue?")?;

    let mut attributes = std::collections::HashMap::new();
    w3c.inject_context(&sent, &mut MetadataInjector::new(&mut attributes));
    let sending = client.send_message().queue_url(&queue);
    let sending = sending.set_message_attributes(Some(attributes));
    sending.message_body("an order").send().await?;

    let names = PROPAGATION_ATTRIBUTES.map(str::to_owned).to_vec();
    let receiving = client.receive_message().queue_url(&queue);
    let receiving = receiving.set_message_attribute_names(Some(names));
    let receiving = receiving.message_system_attribute_names("AWSTraceHeader".into());
    let batch = receiving.wait_time_seconds(20).send().await?;
    let message = batch.messages().first().ok_or("nothing came")?;
    let carrier = MetadataExtractor::of(message);
    let received = w3c.extract_with_context(&opentelemetry::Context::new(), &carrier);
    let trace = |context: &opentelemetry::Context| context.span().span_context().trace_id();
    assert_eq!(trace(&received), trace(&sent));
    let delete = client.delete_message().queue_url(queue);
    let delete = delete.set_receipt_handle(message.receipt_handle.clone());
    Ok(delete.send().await.map(drop)?)
}
