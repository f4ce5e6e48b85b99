//! Follows what was decided about an order. Idempotent: a decision whose number is not higher than that of the last one
//! changes nothing.

use domain::{OrderEnded, Outcome};
use otel_messaging::{Delivery, Dependency, ErrorType, Handler, HandlerError};

use crate::stock::{Followed, Stock};

/// Keeps or releases what an order holds.
#[derive(Debug)]
pub(crate) struct OrderEndedHandler {
    stock: Stock,
}

impl OrderEndedHandler {
    pub(crate) fn new(stock: Stock) -> Self {
        Self { stock }
    }
}

impl Handler for OrderEndedHandler {
    type Event = OrderEnded;

    fn idempotency_key(&self, event: &OrderEnded) -> Option<String> {
        Some(format!("{}/{}", event.order_id, event.sequence))
    }

    async fn handle(&self, event: OrderEnded, _: &Delivery) -> Result<(), HandlerError> {
        let OrderEnded {
            order_id, sequence, ..
        } = event;
        let outcome = event.status;
        let followed = self.stock.follow(order_id, outcome, sequence).await;
        let status = outcome.as_str();
        match followed.map_err(failed)? {
            Followed::Before => tracing::info!(%order_id, status, sequence, "decision is not new"),
            // What was decided stands. It was by the version before, which held nothing in some cases.
            Followed::NothingHeld if outcome == Outcome::Confirmed => {
                tracing::error!(%order_id, "a confirmed order holds nothing");
            }
            Followed::NothingHeld => tracing::info!(%order_id, status, "order holds nothing"),
            Followed::Kept => tracing::info!(%order_id, "stock kept"),
            Followed::Released => tracing::info!(%order_id, "stock released"),
            Followed::StaysHeld => tracing::info!(%order_id, status, "stock stays held"),
        }
        Ok(())
    }
}

/// What was decided must be followed, however long the database is away.
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
