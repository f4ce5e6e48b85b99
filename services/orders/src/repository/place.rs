//! Keeping a new order.

use sqlx::types::Json;
use telemetry::sql::traced;
use uuid::Uuid;

use super::OrderRepository;
use crate::idempotency::IdempotencyKey;
use crate::order::Order;
use crate::outbox::Event;

impl OrderRepository {
    /// Keeps the order, its lines, the event about it and the key of the request, or none of them.
    ///
    /// `false` when the key is taken; while another request with the same key is being written, its end is waited for.
    pub(crate) async fn insert(
        &self,
        order: &Order,
        event: &Event,
        key: Option<&IdempotencyKey>,
    ) -> Result<bool, sqlx::Error> {
        // A key that is too old to count is taken over; it may not have been forgotten yet.
        let sql = "
            with taken as (
                insert into idempotency_keys as old (key, order_id, created_at)
                select $1, $2, now() where $1 is not null
                on conflict (key) do update set order_id = excluded.order_id, created_at = excluded.created_at
                where old.created_at < now() - interval '1 day'
                returning 1
            ), accepted as (
                insert into orders
                    (id, customer_id, note, total, status, trace_id, created_at, updated_at, context, resend_at)
                select $2, $3, $4, $5, $6, $7, $8, $8, $9, now() + make_interval(secs => $10)
                where $1 is null or exists (select from taken)
                returning id
            ), lines as (
                insert into order_items (order_id, line, item_id, quantity, price)
                select accepted.id, line - 1, item_id, quantity, price
                from accepted,
                    unnest($11::text[], $12::bigint[], $13::bigint[])
                        with ordinality as t (item_id, quantity, price, line)
            ), event as (
                insert into outbox (topic, key, payload, context)
                select $14, $15, $16, $9 from accepted
            )
            select id from accepted";
        let lines = order.lines.as_slice();
        let items: Vec<_> = lines.iter().map(|line| line.item_id.as_str()).collect();
        let quantities: Vec<_> = lines.iter().map(|line| line.quantity.get()).collect();
        let prices: Vec<_> = lines.iter().map(|line| line.price.get()).collect();
        let insert = sqlx::query_scalar(sql)
            .bind(key.map(IdempotencyKey::as_str))
            .bind(order.id.as_uuid())
            .bind(order.customer_id.as_str())
            .bind(order.note.as_str())
            .bind(order.lines.total())
            .bind(order.status.as_str())
            .bind(&order.trace_id)
            .bind(order.created_at)
            .bind(Json(&event.context))
            .bind(self.resend_after.as_secs_f64())
            .bind(items)
            .bind(quantities)
            .bind(prices)
            .bind(event.topic)
            .bind(&event.key)
            .bind(Json(&event.payload))
            .fetch_optional(&self.pool);
        let id: Option<Uuid> = traced(&self.pool, "INSERT orders", sql, insert).await?;
        Ok(id.is_some())
    }
}
