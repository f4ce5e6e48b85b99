use opentelemetry::baggage::BaggageExt;
use opentelemetry::{Context, KeyValue};
use telemetry::testing::{Recorder, attribute};
use tracing::{Instrument, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

#[tokio::test]
async fn listed_baggage_is_on_each_span_below_and_no_other_is() {
    let recorder = Recorder::start();
    let context = Context::new().with_baggage([
        KeyValue::new("order.id", "7"),
        KeyValue::new("password", "secret"),
    ]);
    let outer = info_span!("outer");
    outer.set_parent(context).unwrap();
    async { info_span!("inner").in_scope(|| ()) }
        .instrument(outer)
        .await;
    for name in ["outer", "inner"] {
        let span = recorder.span(name);
        assert_eq!(
            attribute(&span, "orderflow.order.id").as_deref(),
            Some("7"),
            "{name}"
        );
        assert!(!format!("{span:?}").contains("secret"), "{name}");
    }
}
