//! Every SQL statement of this service.

use domain::{ItemId, OrderId, Price, Quantity, Reservation, ReservationStatus, StockItem};
use sqlx::{FromRow, PgPool, Postgres, Transaction};
use telemetry::sql::traced;

/// The inventory database.
///
/// A transaction takes its row of `reservations` first and its row of `stock` second, and no more than one of each:
/// so there is no circle in which transactions could wait for each other.
#[derive(Debug, Clone)]
pub(crate) struct StockRepository {
    pool: PgPool,
}

#[derive(FromRow)]
struct StockRow {
    item_id: String,
    name: String,
    price: i64,
    available: i64,
    reserved: i64,
}

#[derive(FromRow)]
struct ReservationRow {
    quantity: Option<i64>,
    status: String,
}

impl StockRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// All items, sorted by their id.
    pub(crate) async fn find_all(&self) -> Result<Vec<StockItem>, sqlx::Error> {
        let select = "select item_id, name, price, available, reserved from stock order by item_id";
        let rows = sqlx::query_as(select).fetch_all(&self.pool);
        let rows: Vec<StockRow> = traced(&self.pool, "SELECT stock", select, rows).await?;
        rows.into_iter().map(StockItem::try_from).collect()
    }

    pub(crate) async fn get(&self, item: &ItemId) -> Result<Option<StockItem>, sqlx::Error> {
        let select =
            "select item_id, name, price, available, reserved from stock where item_id = $1";
        let row = sqlx::query_as(select)
            .bind(item.as_str())
            .fetch_optional(&self.pool);
        let row: Option<StockRow> = traced(&self.pool, "SELECT stock", select, row).await?;
        row.map(StockItem::try_from).transpose()
    }

    /// Decides about an order's wish for an item, or tells what was decided before; `None` if there is no such item.
    pub(crate) async fn reserve(
        &self,
        item: &ItemId,
        order: OrderId,
        quantity: Quantity,
    ) -> Result<Option<Reservation>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let first = self
            .insert(
                &mut transaction,
                item,
                order,
                Some(quantity),
                ReservationStatus::Reserved,
            )
            .await?;
        if !first {
            return self.reservation(&mut transaction, item, order).await;
        }
        let status = if self.take(&mut transaction, item, quantity).await? {
            ReservationStatus::Reserved
        } else {
            self.refuse(&mut transaction, item, order).await?;
            ReservationStatus::Refused
        };
        transaction.commit().await?;
        Ok(Some(Reservation {
            order_id: order,
            item_id: item.clone(),
            quantity: Some(quantity),
            status,
        }))
    }

    /// Gives back what an order has of an item, or remembers that it wants none; `None` if there is no such item.
    pub(crate) async fn release(
        &self,
        item: &ItemId,
        order: OrderId,
    ) -> Result<Option<Reservation>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        // First, so that a reservation which is just being made is waited for, and not missed.
        self.insert(
            &mut transaction,
            item,
            order,
            None,
            ReservationStatus::Released,
        )
        .await?;
        if let Some(quantity) = self.withdraw(&mut transaction, item, order).await? {
            self.put_back(&mut transaction, item, quantity).await?;
        }
        let released = self.reservation(&mut transaction, item, order).await?;
        transaction.commit().await?;
        Ok(released)
    }

    /// Whether this is the first that is heard of the order and the item; `false` too if there is no such item.
    ///
    /// A second insert waits for the first one's transaction, and then sees what became of it.
    async fn insert(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        item: &ItemId,
        order: OrderId,
        quantity: Option<Quantity>,
        status: ReservationStatus,
    ) -> Result<bool, sqlx::Error> {
        let insert = "insert into reservations (order_id, item_id, quantity, status)
             select $1, item_id, $3, $4 from stock where item_id = $2
             on conflict (order_id, item_id) do nothing";
        let inserted = sqlx::query(insert)
            .bind(order.as_uuid())
            .bind(item.as_str())
            .bind(quantity.map(Quantity::get))
            .bind(status.as_str())
            .execute(&mut **transaction);
        let inserted = traced(&self.pool, "INSERT reservations", insert, inserted).await?;
        Ok(inserted.rows_affected() == 1)
    }

    async fn reservation(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        item: &ItemId,
        order: OrderId,
    ) -> Result<Option<Reservation>, sqlx::Error> {
        let select =
            "select quantity, status from reservations where order_id = $1 and item_id = $2";
        let row = sqlx::query_as(select)
            .bind(order.as_uuid())
            .bind(item.as_str())
            .fetch_optional(&mut **transaction);
        let row: Option<ReservationRow> =
            traced(&self.pool, "SELECT reservations", select, row).await?;
        row.map(|row| row.of(item, order)).transpose()
    }

    /// Takes pieces out of the stock if there are enough: the condition and the change are one statement.
    async fn take(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        item: &ItemId,
        quantity: Quantity,
    ) -> Result<bool, sqlx::Error> {
        let update = "update stock set available = available - $2, reserved = reserved + $2
             where item_id = $1 and available >= $2";
        let updated = sqlx::query(update)
            .bind(item.as_str())
            .bind(quantity.get())
            .execute(&mut **transaction);
        let updated = traced(&self.pool, "UPDATE stock", update, updated).await?;
        Ok(updated.rows_affected() == 1)
    }

    async fn put_back(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        item: &ItemId,
        quantity: i64,
    ) -> Result<(), sqlx::Error> {
        let update = "update stock set available = available + $2, reserved = reserved - $2
             where item_id = $1";
        let updated = sqlx::query(update)
            .bind(item.as_str())
            .bind(quantity)
            .execute(&mut **transaction);
        traced(&self.pool, "UPDATE stock", update, updated)
            .await
            .map(drop)
    }

    async fn refuse(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        item: &ItemId,
        order: OrderId,
    ) -> Result<(), sqlx::Error> {
        let update =
            "update reservations set status = 'refused' where order_id = $1 and item_id = $2";
        let updated = sqlx::query(update)
            .bind(order.as_uuid())
            .bind(item.as_str())
            .execute(&mut **transaction);
        traced(&self.pool, "UPDATE reservations", update, updated)
            .await
            .map(drop)
    }

    /// Ends a reservation; `Some` tells how many pieces it held.
    async fn withdraw(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        item: &ItemId,
        order: OrderId,
    ) -> Result<Option<i64>, sqlx::Error> {
        let update = "update reservations set status = 'released'
             where order_id = $1 and item_id = $2 and status = 'reserved' returning quantity";
        let quantity = sqlx::query_scalar(update)
            .bind(order.as_uuid())
            .bind(item.as_str())
            .fetch_optional(&mut **transaction);
        traced(&self.pool, "UPDATE reservations", update, quantity).await
    }
}

impl TryFrom<StockRow> for StockItem {
    type Error = sqlx::Error;

    fn try_from(row: StockRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            item_id: row.item_id.try_into().map_err(not_ours)?,
            name: row.name,
            available: row.available,
            reserved: row.reserved,
            price: Price::new(row.price).map_err(not_ours)?,
        })
    }
}

impl ReservationRow {
    fn of(self, item: &ItemId, order: OrderId) -> Result<Reservation, sqlx::Error> {
        Ok(Reservation {
            order_id: order,
            item_id: item.clone(),
            quantity: self
                .quantity
                .map(Quantity::new)
                .transpose()
                .map_err(not_ours)?,
            status: self.status.parse().map_err(not_ours)?,
        })
    }
}

/// A value that this service would not have written.
fn not_ours(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
