//! Deciding what becomes of an order.

use domain::{Category, OrderId, OrderStatus};
use otel_messaging::StoredContext;
use sqlx::types::Json;
use telemetry::sql::traced;

use super::{OrderRepository, illegal};
use crate::decision::Decision;
use crate::outbox::Event;

impl OrderRepository {
    /// Gives the order its status and keeps the event about it, or neither of them.
    ///
    /// The context that the order was placed in, if it was in a status that the decision leads away from.
    pub(crate) async fn decide(
        &self,
        id: OrderId,
        decision: &Decision,
        event: &Event,
    ) -> Result<Option<StoredContext>, sqlx::Error> {
        let sql = "
            with decided as (
                update orders
                set status = $2, category = coalesce($3, category), reason = $4, decision = decision + 1,
                    updated_at = now()
                where id = $1 and status = any($5)
                returning customer_id, category, decision, coalesce(context, '{}') as context
            ), event as (
                insert into outbox (topic, key, payload, context)
                select $6, $7,
                    $8 || jsonb_build_object('customer_id', customer_id, 'category', category, 'sequence', decision),
                    jsonb_strip_nulls(jsonb_build_object('baggage', context -> 'baggage')) || $9
                from decided
            )
            select context from decided";
        let before = OrderStatus::before(decision.outcome, decision.decider);
        let before: Vec<_> = before.map(OrderStatus::as_str).collect();
        let update = sqlx::query_scalar(sql)
            .bind(id.as_uuid())
            .bind(decision.outcome.as_str())
            .bind(decision.category.map(Category::as_str))
            .bind(&decision.reason)
            .bind(before)
            .bind(event.topic)
            .bind(&event.key)
            .bind(Json(&event.payload))
            .bind(Json(&event.context))
            .fetch_optional(&self.pool);
        let placed_in: Option<Json<_>> = traced(&self.pool, "UPDATE orders", sql, update).await?;
        Ok(placed_in.map(|Json(context)| context))
    }

    /// Where the order is, and the context that it was placed in.
    pub(crate) async fn get_status(
        &self,
        id: OrderId,
    ) -> Result<Option<(OrderStatus, StoredContext)>, sqlx::Error> {
        let sql = "select status, coalesce(context, '{}') from orders where id = $1";
        let select = sqlx::query_as(sql)
            .bind(id.as_uuid())
            .fetch_optional(&self.pool);
        let row: Option<(String, Json<_>)> =
            traced(&self.pool, "SELECT orders", sql, select).await?;
        row.map(|(status, Json(context))| Ok((status.parse().map_err(illegal)?, context)))
            .transpose()
    }
}
