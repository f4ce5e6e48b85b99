//! What nobody asks for. Statements in the background are not traced: they belong to no order's trace.

use domain::{OrderCreated, OrderId};
use sqlx::FromRow;
use telemetry::sql::traced;
use uuid::Uuid;

use super::OrderRepository;

/// An order whose event is sent again.
#[derive(Debug, FromRow)]
pub(crate) struct Resent {
    pub(crate) id: Uuid,
    /// The how-manieth time it is.
    pub(crate) resent: i32,
}

impl OrderRepository {
    /// Puts the events of up to `limit` orders that are pending for too long into the outbox again, each in the context
    /// that its order was placed in. The wait for the next time is twice as long.
    pub(crate) async fn resend_due(&self, limit: i64) -> Result<Vec<Resent>, sqlx::Error> {
        let sql = "
            with due as (
                select id from orders
                where status = 'pending' and resend_at <= now()
                    and not exists (select from outbox where key = orders.id::text)
                order by resend_at
                limit $1
                for update skip locked
            ), again as (
                update orders
                set resent = resent + 1, resend_at = now() + make_interval(secs => $2 * power(2, least(resent, 10) + 1))
                from due
                where orders.id = due.id
                returning orders.*
            ), event as (
                insert into outbox (topic, key, payload, context)
                select $3, id::text,
                    jsonb_build_object(
                        'order_id', id,
                        'customer_id', customer_id,
                        'items', (
                            select jsonb_agg(
                                jsonb_build_object('item_id', item_id, 'quantity', quantity, 'price', price)
                                order by line
                            )
                            from order_items where order_id = again.id
                        ),
                        'note', note,
                        'created_at', created_at
                    ),
                    coalesce(context, '{}')
                from again
            )
            select id, resent from again";
        sqlx::query_as(sql)
            .bind(limit)
            .bind(self.resend_after.as_secs_f64())
            .bind(OrderCreated::TOPIC)
            .fetch_all(&self.pool)
            .await
    }

    /// Whether the order is pending; then its event is among the next that are sent again.
    pub(crate) async fn make_resend_due(&self, id: OrderId) -> Result<bool, sqlx::Error> {
        let sql = "update orders set resend_at = now() where id = $1 and status = 'pending'";
        let update = sqlx::query(sql).bind(id.as_uuid()).execute(&self.pool);
        let updated = traced(&self.pool, "UPDATE orders", sql, update).await?;
        Ok(updated.rows_affected() == 1)
    }

    /// Forgets up to `limit` keys that do not count any more, and says how many.
    ///
    /// An hour later than they stop to count: whoever has just been told that a key is taken still finds it.
    pub(crate) async fn forget_keys(&self, limit: i64) -> Result<u64, sqlx::Error> {
        let sql = "
            with old as (
                select key from idempotency_keys
                where created_at < now() - interval '25 hours'
                limit $1
                for update skip locked
            )
            delete from idempotency_keys using old where idempotency_keys.key = old.key";
        let deleted = sqlx::query(sql).bind(limit).execute(&self.pool).await?;
        Ok(deleted.rows_affected())
    }
}
