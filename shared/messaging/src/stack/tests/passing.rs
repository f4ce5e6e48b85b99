//! Context passes from what is consumed to what is sent about it, whatever of it is recorded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::anyhow;
use opentelemetry::global;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use otel_carriers::w3c;
use telemetry::testing::Recorder;
use tower::{ServiceBuilder, ServiceExt};
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;

use super::super::{TraceLayer, handle};
use crate::context::{StoredContext, extract, inject};
use crate::dead_letter::{DeadLetters, Letter};
use crate::delivery::Delivery;
use crate::destination::Destination;
use crate::error::{ConnectError, HandlerError, SendError};
use crate::handler::Handler;
use crate::producer::{Outbound, Outgoing, Producer, Sent, Transport};
use crate::settings::Relation;
use crate::testing::{SENDER, carrying, destination};

type Fields = HashMap<String, String>;
/// A name, and what listens to spans.
type Case = (&'static str, fn() -> Dispatch);

/// Takes every message, and keeps the context that a broker would carry.
struct Broker {
    destination: Destination,
    carried: Arc<Mutex<Vec<Fields>>>,
}

impl Transport for Broker {
    fn destination(&self) -> &Destination {
        &self.destination
    }

    async fn transmit(
        &self,
        message: Outbound,
        _: &tracing::Span,
        _: bool,
    ) -> Result<Sent, SendError> {
        let mut fields = Fields::new();
        inject(&message.context, &mut fields);
        self.carried.lock().unwrap().push(fields);
        let message_id = "order.ended/0/1".to_owned();
        Ok(Sent { message_id })
    }

    async fn check(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

/// Sends in each of the ways there are.
struct Sends(Producer<Broker>);

impl Handler for Sends {
    type Event = serde_json::Value;

    async fn handle(&self, event: Self::Event, delivery: &Delivery) -> Result<(), HandlerError> {
        self.0.send(&event).await.map_err(HandlerError::retry)?;
        for sent in self.0.send_batch([&event, &event]).await {
            sent.map_err(HandlerError::retry)?;
        }
        // As an outbox does.
        let stored = StoredContext::capture([]);
        let later = Outgoing::new(&event).context(&stored);
        self.0.send(later).await.map_err(HandlerError::retry)?;
        let reason = HandlerError::reject(anyhow!("as the test wants"));
        let letter = Letter::new(delivery, &reason);
        let sent = DeadLetters::send(&self.0, letter).await;
        sent.map_err(HandlerError::retry)
    }
}

fn came() -> Fields {
    let fields = [
        ("traceparent", SENDER),
        ("tracestate", "rojo=1,congo=2"),
        ("baggage", "order.id=7,rate=100%2525;kind=vat"),
    ];
    fields
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// What goes out when a message comes in.
async fn sent(relation: Relation, subscriber: Dispatch) -> Vec<Fields> {
    // It makes the process ask each subscriber for itself; see `telemetry::testing`.
    drop(Recorder::start());
    global::set_text_map_propagator(w3c::propagator());
    let _current = tracing::dispatcher::set_default(&subscriber);
    let carried = Arc::default();
    let broker = Broker {
        destination: destination("order.ended"),
        carried: Arc::clone(&carried),
    };
    let stack = ServiceBuilder::new()
        .layer(TraceLayer::new(relation))
        .service(handle(Sends(Producer::new(broker))));
    let message = carrying(&came(), "", "{}", 1);
    let outcomes = stack.oneshot(vec![message]).await.unwrap();
    assert!(matches!(outcomes[..], [super::Outcome::Processed]));
    let sent = carried.lock().unwrap().clone();
    assert_eq!(sent.len(), 5);
    sent
}

fn spans(sampler: Sampler) -> impl Layer<tracing_subscriber::Registry> + Send + Sync {
    let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
    tracing_opentelemetry::layer().with_tracer(provider.tracer("test"))
}

fn registry() -> tracing_subscriber::Registry {
    tracing_subscriber::registry()
}

#[tokio::test]
async fn what_came_goes_on_unchanged_where_no_span_is_made() {
    let without_spans: [Case; 5] = [
        ("nobody listens", Dispatch::none),
        ("another layer listens", || Dispatch::new(registry())),
        ("the SDK is disabled", || {
            Dispatch::new(registry().with(tracing_opentelemetry::layer()))
        }),
        ("a filter of all layers", || {
            Dispatch::new(
                registry()
                    .with(spans(Sampler::AlwaysOn))
                    .with(LevelFilter::OFF),
            )
        }),
        ("a filter of this layer", || {
            Dispatch::new(registry().with(spans(Sampler::AlwaysOn).with_filter(LevelFilter::OFF)))
        }),
    ];
    for (case, subscriber) in without_spans {
        for relation in [Relation::Parent, Relation::Link] {
            for fields in sent(relation, subscriber()).await {
                assert_eq!(fields, came(), "{case}, {relation:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_goes_on_with_its_baggage() {
    for sampler in [Sampler::AlwaysOff, Sampler::TraceIdRatioBased(0.0)] {
        let subscriber = Dispatch::new(registry().with(spans(sampler)));
        for fields in sent(Relation::Parent, subscriber).await {
            let context = extract(&fields);
            let span = context.span().span_context().clone();
            assert_eq!(span.trace_id().to_string(), SENDER[3..35]);
            assert_ne!(span.span_id().to_string(), SENDER[36..52]);
            assert!(!span.is_sampled());
            assert_eq!(fields["tracestate"], came()["tracestate"]);
            assert_eq!(fields["baggage"], came()["baggage"]);
        }
    }
}

#[tokio::test]
async fn a_trace_of_its_own_has_the_baggage_and_no_tracestate() {
    let subscriber = Dispatch::new(registry().with(spans(Sampler::AlwaysOn)));
    for fields in sent(Relation::Link, subscriber).await {
        assert_ne!(fields["traceparent"][3..35], SENDER[3..35]);
        assert_eq!(fields["tracestate"], "");
        assert_eq!(fields["baggage"], came()["baggage"]);
    }
}

#[tokio::test]
async fn what_is_added_passes_also_where_the_baggage_is_full() {
    global::set_text_map_propagator(w3c::propagator());
    let full: Vec<_> = (0..64)
        .map(|n| format!("c{n}={}", "x".repeat(120)))
        .collect();
    let theirs = HashMap::from([("baggage".to_owned(), full.join(","))]);
    let _current = extract(&theirs).attach();
    let stored = StoredContext::capture([("order.id", "7".to_owned())]);
    let mut fields = Fields::new();
    inject(&stored.restore(), &mut fields);
    assert!(fields["baggage"].starts_with("order.id=7,c0=x"));
}
