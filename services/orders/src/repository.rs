//! Every SQL statement of this service, except those of the outbox relay.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{Category, OrderId, OrderLine, OrderStatus, Price, Quantity};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgPool};
use telemetry::sql::traced;
use uuid::Uuid;

use crate::orders::Order;
use crate::outbox::Event;

/// The orders database.
#[derive(Debug, Clone)]
pub(crate) struct OrderRepository {
    pool: PgPool,
}

#[derive(FromRow)]
struct OrderRow {
    id: Uuid,
    customer_id: String,
    note: String,
    status: String,
    category: Option<String>,
    trace_id: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct LineRow {
    order_id: Uuid,
    item_id: String,
    quantity: i64,
    price: i64,
}

impl OrderRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Keeps the order, its lines and the event about it, or none of them.
    pub(crate) async fn insert(&self, order: &Order, event: &Event) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        self.insert_order(&mut transaction, order).await?;
        self.insert_lines(&mut transaction, order).await?;
        self.insert_event(&mut transaction, event).await?;
        transaction.commit().await
    }

    async fn insert_order(&self, to: &mut PgConnection, order: &Order) -> Result<(), sqlx::Error> {
        let sql = "
            insert into orders (id, customer_id, note, total, status, trace_id, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)";
        let insert = sqlx::query(sql)
            .bind(order.id.as_uuid())
            .bind(order.customer_id.as_str())
            .bind(order.note.as_str())
            .bind(order.lines.total())
            .bind(order.status.as_str())
            .bind(&order.trace_id)
            .bind(order.created_at)
            .bind(order.updated_at)
            .execute(to);
        traced(&self.pool, "INSERT orders", sql, insert).await?;
        Ok(())
    }

    async fn insert_lines(&self, to: &mut PgConnection, order: &Order) -> Result<(), sqlx::Error> {
        let sql = "
            insert into order_items (order_id, line, item_id, quantity, price)
            select $1, line - 1, item_id, quantity, price
            from unnest($2::text[], $3::bigint[], $4::bigint[]) with ordinality as t (item_id, quantity, price, line)";
        let lines = order.lines.as_slice();
        let items: Vec<_> = lines.iter().map(|line| line.item_id.as_str()).collect();
        let quantities: Vec<_> = lines.iter().map(|line| line.quantity.get()).collect();
        let prices: Vec<_> = lines.iter().map(|line| line.price.get()).collect();
        let insert = sqlx::query(sql)
            .bind(order.id.as_uuid())
            .bind(items)
            .bind(quantities)
            .bind(prices)
            .execute(to);
        traced(&self.pool, "INSERT order_items", sql, insert).await?;
        Ok(())
    }

    async fn insert_event(&self, to: &mut PgConnection, event: &Event) -> Result<(), sqlx::Error> {
        let sql = "insert into outbox (key, payload, context) values ($1, $2, $3)";
        let insert = sqlx::query(sql)
            .bind(&event.key)
            .bind(Json(&event.payload))
            .bind(Json(&event.context))
            .execute(to);
        traced(&self.pool, "INSERT outbox", sql, insert).await?;
        Ok(())
    }

    /// Whether the order was in a status that may become `status`, and now has it.
    pub(crate) async fn update_status(
        &self,
        id: OrderId,
        status: OrderStatus,
        category: Option<Category>,
    ) -> Result<bool, sqlx::Error> {
        let sql = "
            update orders set status = $2, category = coalesce($3, category), updated_at = now()
            where id = $1 and status = any($4)";
        let before = OrderStatus::ALL
            .into_iter()
            .filter(|before| before.may_become(status));
        let before: Vec<_> = before.map(OrderStatus::as_str).collect();
        let update = sqlx::query(sql)
            .bind(id.as_uuid())
            .bind(status.as_str())
            .bind(category.map(Category::as_str))
            .bind(before)
            .execute(&self.pool);
        let updated = traced(&self.pool, "UPDATE orders", sql, update).await?;
        Ok(updated.rows_affected() == 1)
    }

    pub(crate) async fn get(&self, id: OrderId) -> Result<Option<Order>, sqlx::Error> {
        let sql = "
            select id, customer_id, note, status, category, trace_id, created_at, updated_at
            from orders where id = $1";
        let select = sqlx::query_as(sql).bind(id.as_uuid()).fetch_all(&self.pool);
        let rows = traced(&self.pool, "SELECT orders", sql, select).await?;
        Ok(self.with_lines(rows).await?.pop())
    }

    pub(crate) async fn find_newest(&self, limit: i64) -> Result<Vec<Order>, sqlx::Error> {
        let sql = "
            select id, customer_id, note, status, category, trace_id, created_at, updated_at
            from orders order by created_at desc, id desc limit $1";
        let select = sqlx::query_as(sql).bind(limit).fetch_all(&self.pool);
        let rows = traced(&self.pool, "SELECT orders", sql, select).await?;
        self.with_lines(rows).await
    }

    pub(crate) async fn find_newest_ids(&self, limit: i64) -> Result<Vec<OrderId>, sqlx::Error> {
        let sql = "select id from orders order by created_at desc, id desc limit $1";
        let select = sqlx::query_scalar(sql).bind(limit).fetch_all(&self.pool);
        let ids: Vec<Uuid> = traced(&self.pool, "SELECT orders", sql, select).await?;
        ids.into_iter()
            .map(|id| id.try_into().map_err(illegal))
            .collect()
    }

    async fn with_lines(&self, rows: Vec<OrderRow>) -> Result<Vec<Order>, sqlx::Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "
            select order_id, item_id, quantity, price
            from order_items where order_id = any($1) order by order_id, line";
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let select = sqlx::query_as(sql).bind(ids).fetch_all(&self.pool);
        let lines: Vec<LineRow> = traced(&self.pool, "SELECT order_items", sql, select).await?;
        let mut lines = by_order(lines)?;
        rows.into_iter().map(|row| order(&mut lines, row)).collect()
    }
}

type LinesByOrder = HashMap<Uuid, Vec<OrderLine>>;

fn by_order(rows: Vec<LineRow>) -> Result<LinesByOrder, sqlx::Error> {
    let mut by_order = LinesByOrder::new();
    for row in rows {
        let line = OrderLine {
            item_id: row.item_id.parse().map_err(illegal)?,
            quantity: Quantity::new(row.quantity).map_err(illegal)?,
            price: Price::new(row.price).map_err(illegal)?,
        };
        by_order.entry(row.order_id).or_default().push(line);
    }
    Ok(by_order)
}

fn order(lines: &mut LinesByOrder, row: OrderRow) -> Result<Order, sqlx::Error> {
    let lines = lines.remove(&row.id).unwrap_or_default();
    let category = row
        .category
        .map(|category| category.parse().map_err(illegal));
    Ok(Order {
        id: row.id.try_into().map_err(illegal)?,
        customer_id: row.customer_id.parse().map_err(illegal)?,
        lines: lines.try_into().map_err(illegal)?,
        note: row.note.parse().map_err(illegal)?,
        status: row.status.parse().map_err(illegal)?,
        category: category.transpose()?,
        trace_id: row.trace_id,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// What is in the database was legal when it was written.
fn illegal(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
