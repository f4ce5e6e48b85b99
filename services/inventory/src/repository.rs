//! Every SQL statement of this service.
//!
//! What a caller has written is one statement, and not a transaction: one that hangs up cannot leave half of it.
//!
//! A statement that changes something locks the rows of `stock` first, sorted by item, and then the one row of its order
//! in `holdings`: so there is no circle in which statements could wait for each other. While it waits, others go on. It
//! then sees the rows that it locks as they are, and all else as it was when the statement began: so each statement
//! changes its order's row only if that is as it was then, and says so if it is not.

use std::collections::BTreeMap;

use domain::{Hold, HoldStatus, ItemId, OrderId, Price, StockItem};
use sqlx::types::Json;
use sqlx::{FromRow, PgPool};
use telemetry::sql::traced;

/// The inventory database.
#[derive(Debug, Clone)]
pub(crate) struct StockRepository {
    pool: PgPool,
}

/// What came of the wish to hold something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is held now.
    All,
    /// Nothing: there is no such item.
    UnknownItem(ItemId),
    /// Nothing: there are not enough pieces of the item.
    OutOfStock(ItemId),
    /// Nothing: the order holds something already, or has ended.
    Before,
}

/// What an order holds, or held when it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) status: HoldStatus,
    /// Whether it is all that was wanted: the version before may have been interrupted.
    pub(crate) whole: bool,
    pieces: BTreeMap<String, i64>,
}

/// What came of a decision about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It was written down, and what was held went where it says.
    Followed { held: bool },
    /// Nothing: its number is not higher than that of the last one.
    Before,
    /// Nothing: somebody else has changed the order since the statement began.
    ChangedMeanwhile,
}

#[derive(FromRow)]
struct StockRow {
    item_id: String,
    name: String,
    price: i64,
    available: i64,
    held: i64,
    kept: i64,
}

#[derive(FromRow)]
struct HeldRow {
    status: String,
    whole: bool,
    /// How many of each item.
    pieces: Json<BTreeMap<String, i64>>,
}

impl StockRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// All items, sorted by their id.
    pub(crate) async fn find_all(&self) -> Result<Vec<StockItem>, sqlx::Error> {
        let select =
            "select item_id, name, price, available, held, kept from stock order by item_id";
        let rows = sqlx::query_as(select).fetch_all(&self.pool);
        let rows: Vec<StockRow> = traced(&self.pool, "SELECT stock", select, rows).await?;
        rows.into_iter().map(StockItem::try_from).collect()
    }

    pub(crate) async fn get(&self, item: &ItemId) -> Result<Option<StockItem>, sqlx::Error> {
        let select =
            "select item_id, name, price, available, held, kept from stock where item_id = $1";
        let row = sqlx::query_as(select)
            .bind(item.as_str())
            .fetch_optional(&self.pool);
        let row: Option<StockRow> = traced(&self.pool, "SELECT stock", select, row).await?;
        row.map(StockItem::try_from).transpose()
    }

    /// Takes all that an order wants out of the stock, unless something is missing or the order was here before.
    ///
    /// The row of an order to which something is missing says that it holds nothing: that is how it is known that nobody
    /// else has taken it meanwhile, perhaps the last pieces that are missing now.
    ///
    /// What is left is computed from the rows that were locked. `available - quantity` would first be computed from the
    /// row as it was when the statement began, and the check of the table would refuse that, though pieces came back
    /// meanwhile.
    pub(crate) async fn take(&self, hold: &Hold) -> Result<Taken, sqlx::Error> {
        let sql = "
            with wanted as (
                select item_id, quantity
                from unnest($2::text[], $3::bigint[]) as wanted (item_id, quantity)),
            open as (
                select where not exists (select from holdings where order_id = $1 and status is not null)),
            locked as materialized (
                select item_id, available, held from stock
                where item_id = any($2) and exists (select from open)
                order by item_id
                for update),
            missing as materialized (
                select item_id, available is null as unknown
                from wanted left join locked using (item_id)
                where available is null or available < quantity
                order by available is not null, item_id
                limit 1),
            claimed as (
                insert into holdings as known (order_id, status)
                select $1, case when not exists (select from missing) then 'held' end from open
                on conflict (order_id) do update set status = excluded.status
                where known.status is null
                returning status),
            reserved as (
                insert into reservations (order_id, item_id, quantity, status)
                select $1, item_id, quantity, status from wanted, claimed where status = 'held'),
            taken as (
                update stock set available = locked.available - quantity, held = locked.held + quantity
                from wanted join locked using (item_id), claimed
                where stock.item_id = locked.item_id and status = 'held')
            select
                exists (select from claimed),
                (select item_id from missing),
                (select unknown from missing)";
        let items: Vec<_> = hold
            .items
            .iter()
            .map(|line| line.item_id.as_str())
            .collect();
        let quantities: Vec<_> = hold.items.iter().map(|line| line.quantity.get()).collect();
        let update = sqlx::query_as(sql)
            .bind(hold.order_id.as_uuid())
            .bind(items)
            .bind(quantities)
            .fetch_one(&self.pool);
        let taken: (bool, Option<String>, Option<bool>) =
            traced(&self.pool, "UPDATE stock", sql, update).await?;
        let missing = |item: String| item.try_into().map_err(not_ours);
        Ok(match taken {
            (false, ..) => Taken::Before,
            (true, None, _) => Taken::All,
            (true, Some(item), Some(true)) => Taken::UnknownItem(missing(item)?),
            (true, Some(item), _) => Taken::OutOfStock(missing(item)?),
        })
    }

    /// What became of an order; `None` while it holds nothing and has not ended.
    pub(crate) async fn holding(&self, order: OrderId) -> Result<Option<Held>, sqlx::Error> {
        let select = "
            select
                holdings.status,
                whole,
                coalesce(
                    jsonb_object_agg(item_id, quantity) filter (where item_id is not null), '{}'
                ) as pieces
            from holdings left join reservations using (order_id)
            where order_id = $1 and holdings.status is not null
            group by order_id";
        let row = sqlx::query_as(select)
            .bind(order.as_uuid())
            .fetch_optional(&self.pool);
        let row: Option<HeldRow> = traced(&self.pool, "SELECT reservations", select, row).await?;
        row.map(Held::try_from).transpose()
    }

    /// Puts back what the version before has taken of what an order wants, which was perhaps not all.
    pub(crate) async fn give_part_back(&self, order: OrderId) -> Result<(), sqlx::Error> {
        let sql = "
            with lines as materialized (
                select item_id, quantity
                from reservations join holdings using (order_id)
                where order_id = $1 and holdings.status = 'held' and not whole),
            locked as materialized (
                select item_id from stock
                where item_id in (select item_id from lines)
                order by item_id
                for update),
            given as (
                update holdings set status = null, whole = true
                from (select count(*) from locked) as locked
                where order_id = $1 and status = 'held' and not whole
                returning order_id),
            gone as (
                delete from reservations using given where reservations.order_id = given.order_id)
            update stock set available = available + quantity, held = held - quantity
            from lines, given
            where stock.item_id = lines.item_id";
        let update = sqlx::query(sql).bind(order.as_uuid()).execute(&self.pool);
        traced(&self.pool, "UPDATE reservations", sql, update).await?;
        Ok(())
    }

    /// Writes down that decision `number` was about the order. `end` says what becomes of what it holds; without one it
    /// stays as it is.
    pub(crate) async fn follow(
        &self,
        order: OrderId,
        end: Option<HoldStatus>,
        number: i64,
    ) -> Result<Decision, sqlx::Error> {
        let sql = "
            with before as materialized (
                select status, decision, whole from holdings where order_id = $1),
            lines as materialized (
                select item_id, quantity from reservations where order_id = $1 and status = 'held'),
            locked as materialized (
                select item_id from stock
                where $2 is not null and item_id in (select item_id from lines)
                order by item_id
                for update),
            followed as (
                insert into holdings as known (order_id, status, decision)
                select $1, $2, $3 from (select count(*) from locked) as locked
                on conflict (order_id) do update set
                    decision = excluded.decision,
                    status = case
                        when known.status in ('kept', 'released') then known.status
                        else coalesce(excluded.status, known.status)
                    end
                where known.decision < excluded.decision and exists (
                    select from before
                    where before.status is not distinct from known.status and before.whole = known.whole)
                returning order_id),
            settled as (
                update reservations set status = $2
                from followed
                where reservations.order_id = followed.order_id and status = 'held' and $2 is not null),
            moved as (
                update stock set
                    held = held - quantity,
                    kept = kept + case $2 when 'kept' then quantity else 0 end,
                    available = available + case $2 when 'released' then quantity else 0 end
                from lines, followed
                where stock.item_id = lines.item_id and $2 is not null)
            select
                exists (select from followed),
                exists (select from lines),
                exists (select from before where decision >= $3)";
        let update = sqlx::query_as(sql)
            .bind(order.as_uuid())
            .bind(end.map(HoldStatus::as_str))
            .bind(number)
            .fetch_one(&self.pool);
        let row = traced(&self.pool, "UPDATE reservations", sql, update).await?;
        Ok(match row {
            (true, held, _) => Decision::Followed { held },
            (false, _, true) => Decision::Before,
            (false, _, false) => Decision::ChangedMeanwhile,
        })
    }
}

impl Held {
    /// Whether it is what `hold` wants.
    pub(crate) fn is_of(&self, hold: &Hold) -> bool {
        let lines = hold.items.iter();
        let wanted = lines.map(|line| (line.item_id.to_string(), line.quantity.get()));
        wanted.collect::<BTreeMap<_, _>>() == self.pieces
    }
}

impl TryFrom<HeldRow> for Held {
    type Error = sqlx::Error;

    fn try_from(row: HeldRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            status: read_status(&row.status)?,
            whole: row.whole,
            pieces: row.pieces.0,
        })
    }
}

impl TryFrom<StockRow> for StockItem {
    type Error = sqlx::Error;

    fn try_from(row: StockRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            item_id: row.item_id.try_into().map_err(not_ours)?,
            name: row.name,
            available: row.available,
            held: row.held,
            kept: row.kept,
            price: Price::new(row.price).map_err(not_ours)?,
        })
    }
}

fn read_status(text: &str) -> Result<HoldStatus, sqlx::Error> {
    let mut all = [HoldStatus::Held, HoldStatus::Kept, HoldStatus::Released].into_iter();
    let status = all.find(|status| status.as_str() == text);
    status.ok_or_else(|| sqlx::Error::Decode(format!("there is no status {text}").into()))
}

/// A value that this service would not have written.
fn not_ours(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
