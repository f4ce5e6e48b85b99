//! Deliveries for the tests of this crate.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::context::extract;
use crate::delivery::{Delivery, Message, Origin};
use crate::destination::Destination;
use crate::headers::Headers;

pub(crate) const SENDER: &str = "00-b2611246a58fd7ea623d2264c5a1e226-b2c9b811f2f424af-01";

pub(crate) fn destination(name: &str) -> Destination {
    Destination::new("kafka", name, "localhost:9092")
}

/// A record that came from [`SENDER`].
pub(crate) fn delivery(payload: &str, attempt: u32) -> Delivery {
    keyed("", payload, attempt)
}

pub(crate) fn keyed(key: &str, payload: &str, attempt: u32) -> Delivery {
    let carrier = HashMap::from([("traceparent".to_owned(), SENDER.to_owned())]);
    carrying(&carrier, key, payload, attempt)
}

/// A record with the context in `carrier`.
pub(crate) fn carrying(
    carrier: &HashMap<String, String>,
    key: &str,
    payload: &str,
    attempt: u32,
) -> Delivery {
    let message = Message {
        destination: Arc::new(destination("order.created")),
        id: "order.created/0/7".to_owned(),
        key: (!key.is_empty()).then(|| Bytes::copy_from_slice(key.as_bytes())),
        payload: Some(Bytes::copy_from_slice(payload.as_bytes())),
        headers: Headers::from_iter([("tenant", "acme")]),
        sent_at: None,
        received_at: SystemTime::now(),
        queue_time: Some(Duration::from_millis(12)),
        context: extract(carrier),
        origin: Origin::Kafka {
            group: "classifier".into(),
            partition: 0,
            offset: 7,
            log_append_time: true,
        },
    };
    Delivery::new(message, attempt)
}
