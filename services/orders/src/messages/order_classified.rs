//! Ends an order. Idempotent: an order that has ended stays as it is.

use domain::OrderClassified;
use otel_messaging::{Delivery, Dependency, Handler, HandlerError};

use crate::orders::{Change, Orders};

#[derive(Debug)]
pub(crate) struct OrderClassifiedHandler {
    orders: Orders,
}

impl OrderClassifiedHandler {
    pub(crate) fn new(orders: Orders) -> Self {
        Self { orders }
    }
}

impl Handler for OrderClassifiedHandler {
    type Event = OrderClassified;

    fn idempotency_key(&self, event: &OrderClassified) -> Option<String> {
        Some(event.order_id.to_string())
    }

    async fn handle(&self, event: OrderClassified, _: &Delivery) -> Result<(), HandlerError> {
        let order_id = event.order_id;
        let changed = self
            .orders
            .change_status(order_id, event.outcome.into(), event.category);
        match changed.await.map_err(decide)? {
            Change::Made => tracing::info!(%order_id, outcome = ?event.outcome, "order ended"),
            Change::AsBefore => tracing::info!(%order_id, "order had ended before"),
            Change::Refused(status) => {
                // A late duplicate: the first decision stands, and is what the customer was told.
                tracing::warn!(%order_id, %status, outcome = ?event.outcome, "order had ended otherwise");
            }
            Change::UnknownOrder => {
                return Err(HandlerError::Reject(anyhow::anyhow!(
                    "there is no order {order_id}"
                )));
            }
        }
        Ok(())
    }
}

/// An order that was decided about must end, however long the database is away.
fn decide(error: sqlx::Error) -> HandlerError {
    let is_about_this_order = web::refuses_data(&error);
    let cause = anyhow::Error::new(error).context(Dependency("postgresql"));
    if is_about_this_order {
        HandlerError::Retry(cause)
    } else {
        HandlerError::Unavailable(cause)
    }
}
