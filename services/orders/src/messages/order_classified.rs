//! Decides about an order by what was found out. Idempotent: what was decided about it before stays, and is not told
//! again.

use domain::{OrderClassified, OrderId};
use otel_messaging::{Delivery, Dependency, ErrorType, Handler, HandlerError};

use crate::decision::Decision;
use crate::orders::{Change, Orders};

/// No broker takes an event of any size; reasons are sentences for the customer.
const MAX_REASON: usize = 1000;

#[derive(Debug)]
pub(crate) struct OrderClassifiedHandler {
    orders: Orders,
}

impl OrderClassifiedHandler {
    pub(crate) fn new(orders: Orders) -> Self {
        Self { orders }
    }

    async fn decide(&self, order_id: OrderId, decision: &Decision) -> Result<(), HandlerError> {
        let outcome = decision.outcome.as_str();
        match self
            .orders
            .decide(order_id, decision)
            .await
            .map_err(failed)?
        {
            Change::Made => tracing::info!(%order_id, outcome, "order decided"),
            Change::AsBefore => tracing::info!(%order_id, outcome, "order was decided before"),
            Change::Refused(status) => {
                // A late duplicate: the decision before stands, and is what the customer was told.
                tracing::warn!(%order_id, %status, outcome, "order was decided otherwise before");
            }
            Change::UnknownOrder => {
                let unknown = anyhow::anyhow!("there is no order {order_id}");
                return Err(HandlerError::Reject(
                    unknown.context(ErrorType("unknown_order")),
                ));
            }
        }
        Ok(())
    }

    /// Its stock was not held: the classifier is to do that, by the event that it does everything by.
    async fn start_again(&self, order_id: OrderId) -> Result<(), HandlerError> {
        if self.orders.start_again(order_id).await.map_err(failed)? {
            tracing::info!(%order_id, "order has no stock held, its event is sent again");
        } else {
            tracing::info!(%order_id, "order was decided before");
        }
        Ok(())
    }
}

impl Handler for OrderClassifiedHandler {
    type Event = OrderClassified;

    fn idempotency_key(&self, event: &OrderClassified) -> Option<String> {
        Some(event.order_id.to_string())
    }

    async fn handle(&self, event: OrderClassified, _: &Delivery) -> Result<(), HandlerError> {
        let reason = event
            .reason
            .map(|reason| reason.chars().take(MAX_REASON).collect());
        match Decision::by_finding(event.finding, event.category, reason) {
            Some(decision) => self.decide(event.order_id, &decision).await,
            None => self.start_again(event.order_id).await,
        }
    }
}

/// An order that was found out about must be decided, however long the database is away.
fn failed(error: sqlx::Error) -> HandlerError {
    let is_about_this_order = web::refuses_data(&error);
    let class = if is_about_this_order {
        "data"
    } else {
        "database"
    };
    let cause = anyhow::Error::new(error)
        .context(ErrorType(class))
        .context(Dependency("postgresql"));
    if is_about_this_order {
        HandlerError::Retry(cause)
    } else {
        HandlerError::Unavailable(cause)
    }
}
