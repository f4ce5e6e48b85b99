//! Everything that this service tells others.
//!
//! The context is captured here, where the event happens: whoever sends it later has no request.

use domain::{OrderCreated, OrderEnded, OrderId};
use otel_messaging::StoredContext;
use serde_json::json;

use crate::decision::Decision;
use crate::order::Order;
use crate::outbox::Event;

/// An order was accepted.
pub(crate) fn order_created(order: &Order, propagate: bool) -> Event {
    let created = OrderCreated {
        order_id: order.id,
        customer_id: order.customer_id.clone(),
        items: order.lines.clone(),
        note: order.note.clone(),
        created_at: order.created_at,
    };
    let tier = order.customer_id.tier().as_str().to_owned();
    let baggage = [("order.id", order.id.to_string()), ("customer.tier", tier)];
    Event {
        topic: OrderCreated::TOPIC,
        key: order.id.to_string(),
        payload: json!(created),
        context: if propagate {
            StoredContext::capture(baggage)
        } else {
            StoredContext::default()
        },
    }
}

/// It was decided what becomes of an order. What only its row knows is added by the statement that decides: customer,
/// category, the number of the decision, and the baggage of the order when there is none here.
pub(crate) fn order_ended(id: OrderId, decision: &Decision, propagate: bool) -> Event {
    Event {
        topic: OrderEnded::TOPIC,
        key: id.to_string(),
        payload: json!({
            "order_id": id,
            "status": decision.outcome,
            "reason": decision.reason,
        }),
        context: if propagate {
            StoredContext::capture([])
        } else {
            StoredContext::default()
        },
    }
}
