//! Reading orders.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{OrderId, OrderLine, Price, Quantity};
use sqlx::FromRow;
use telemetry::sql::traced;
use uuid::Uuid;

use super::{OrderRepository, illegal};
use crate::idempotency::IdempotencyKey;
use crate::order::Order;

#[derive(FromRow)]
struct OrderRow {
    id: Uuid,
    customer_id: String,
    note: String,
    status: String,
    category: Option<String>,
    reason: Option<String>,
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
    pub(crate) async fn get(&self, id: OrderId) -> Result<Option<Order>, sqlx::Error> {
        let sql = "
            select id, customer_id, note, status, category, reason, trace_id, created_at, updated_at
            from orders where id = $1";
        let select = sqlx::query_as(sql).bind(id.as_uuid()).fetch_all(&self.pool);
        let rows = traced(&self.pool, "SELECT orders", sql, select).await?;
        Ok(self.with_lines(rows).await?.pop())
    }

    /// The order that was placed with this key, which is taken.
    pub(crate) async fn get_by_key(&self, key: &IdempotencyKey) -> Result<Order, sqlx::Error> {
        let sql = "
            select id, customer_id, note, status, category, reason, trace_id, orders.created_at, updated_at
            from orders join idempotency_keys on order_id = id where key = $1";
        let select = sqlx::query_as(sql).bind(key.as_str()).fetch_all(&self.pool);
        let rows = traced(&self.pool, "SELECT orders", sql, select).await?;
        let order = self.with_lines(rows).await?.pop();
        order.ok_or(sqlx::Error::RowNotFound)
    }

    pub(crate) async fn find_newest(&self, limit: i64) -> Result<Vec<Order>, sqlx::Error> {
        let sql = "
            select id, customer_id, note, status, category, reason, trace_id, created_at, updated_at
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
        reason: row.reason,
        trace_id: row.trace_id,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
