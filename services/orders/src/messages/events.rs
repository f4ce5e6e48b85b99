//! Everything that this service tells others.

use domain::OrderCreated;
use otel_messaging::StoredContext;
use serde_json::json;

use crate::orders::Order;
use crate::outbox::Event;

/// An order was accepted. The context is captured here: whoever sends the event later has no request.
pub(crate) fn order_created(order: &Order, propagate: bool) -> Event {
    let created = OrderCreated {
        order_id: order.id,
        customer_id: order.customer_id.clone(),
        items: order.lines.clone(),
        note: order.note.clone(),
        created_at: order.created_at,
    };
    let baggage = [
        ("order.id", order.id.to_string()),
        (
            "customer.tier",
            order.customer_id.tier().as_str().to_owned(),
        ),
    ];
    Event {
        key: order.id.to_string(),
        payload: json!(created),
        context: if propagate {
            StoredContext::capture(baggage)
        } else {
            StoredContext::default()
        },
    }
}
