//! Every SQL statement of the harness.

use std::collections::BTreeMap;

use sqlx::PgPool;
use uuid::Uuid;

use super::{Books, Holding, Order, OutboxRow, Reservation, Stock, Written};

/// The three databases, reached past every proxy.
#[derive(Debug, Clone)]
pub(crate) struct Databases {
    orders: PgPool,
    inventory: PgPool,
    email: PgPool,
}

impl Databases {
    /// Connects when it is first asked.
    pub(crate) fn new(orders: &str, inventory: &str, email: &str) -> anyhow::Result<Self> {
        Ok(Self {
            orders: PgPool::connect_lazy(orders)?,
            inventory: PgPool::connect_lazy(inventory)?,
            email: PgPool::connect_lazy(email)?,
        })
    }

    /// Fills in what the databases say about the orders of customers whose names begin with `prefix`.
    pub(crate) async fn read(&self, prefix: &str, books: &mut Books) -> sqlx::Result<()> {
        books.orders = self.orders(prefix).await?;
        let ids: Vec<Uuid> = books.orders.iter().map(|order| order.id).collect();
        books.outbox = self.outbox().await?;
        books.holdings = self.holdings(&ids).await?;
        books.reservations = self.reservations().await?;
        books.stock = self.stock().await?;
        books.written = self.written(&ids).await?;
        Ok(())
    }

    async fn orders(&self, prefix: &str) -> sqlx::Result<Vec<Order>> {
        let sql = "select id, customer_id, status, decision, resent, trace_id from orders
            where starts_with(customer_id, $1) order by created_at";
        let orders = sqlx::query_as(sql).bind(prefix).fetch_all(&self.orders);
        let mut orders: Vec<Order> = orders.await?;
        let sql = "select order_id, item_id, sum(quantity)::bigint
            from order_items join orders on orders.id = order_id
            where starts_with(customer_id, $1) group by order_id, item_id";
        let lines = sqlx::query_as(sql).bind(prefix).fetch_all(&self.orders);
        let lines: Vec<(Uuid, String, i64)> = lines.await?;
        for order in &mut orders {
            let lines = lines.iter().filter(|(id, ..)| *id == order.id);
            order.items = lines.map(|(_, item, n)| (item.clone(), *n)).collect();
        }
        Ok(orders)
    }

    async fn outbox(&self) -> sqlx::Result<Vec<OutboxRow>> {
        let sql = "select topic, key from outbox order by id";
        sqlx::query_as(sql).fetch_all(&self.orders).await
    }

    async fn holdings(&self, orders: &[Uuid]) -> sqlx::Result<Vec<Holding>> {
        let sql = "select order_id, status, decision from holdings where order_id = any($1)";
        let holdings = sqlx::query_as(sql).bind(orders);
        holdings.fetch_all(&self.inventory).await
    }

    /// Of all orders ever, since the stock is everybody's.
    async fn reservations(&self) -> sqlx::Result<Vec<Reservation>> {
        let sql = "select order_id, item_id, quantity, status from reservations";
        sqlx::query_as(sql).fetch_all(&self.inventory).await
    }

    async fn stock(&self) -> sqlx::Result<Vec<Stock>> {
        let sql = "select item_id, available, held, kept from stock order by item_id";
        sqlx::query_as(sql).fetch_all(&self.inventory).await
    }

    /// How many of each item there are in all.
    pub(crate) async fn pieces(&self) -> sqlx::Result<BTreeMap<String, i64>> {
        let stock = self.stock().await?.into_iter();
        Ok(stock
            .map(|it| (it.item_id, it.available + it.held + it.kept))
            .collect())
    }

    async fn written(&self, orders: &[Uuid]) -> sqlx::Result<Vec<Written>> {
        let sql = "select order_id, status, sent_at is not null as sent from emails
            where order_id = any($1)";
        let written = sqlx::query_as(sql).bind(orders);
        written.fetch_all(&self.email).await
    }
}
