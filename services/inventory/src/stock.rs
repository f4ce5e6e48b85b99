//! Reserving stock for orders, and giving it back.
//!
//! Callers hear about an order at least once, so they may ask twice, and in an order of their own.
//! Each order gets one decision per item, and hears the same one whenever it asks again.

use domain::{ItemId, OrderId, Quantity, Reservation, ReservationStatus, StockItem};

use crate::repository::StockRepository;

/// Why something is not reserved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReserveError {
    #[error("there is no item {0}")]
    UnknownItem(ItemId),
    #[error("there is not enough of {0}")]
    OutOfStock(ItemId),
    #[error("the order has released {0} already")]
    Released(ItemId),
    #[error(
        "the order has asked for {earlier} of {item} before, and cannot ask for another quantity"
    )]
    OtherQuantity { item: ItemId, earlier: Quantity },
    #[error(transparent)]
    Unexpected(#[from] sqlx::Error),
}

/// Why nothing is told about an item, or released.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ItemError {
    #[error("there is no item {0}")]
    Unknown(ItemId),
    #[error(transparent)]
    Unexpected(#[from] sqlx::Error),
}

/// What there is, and who has reserved it.
#[derive(Debug, Clone)]
pub(crate) struct Stock {
    repository: StockRepository,
}

impl Stock {
    pub(crate) fn new(repository: StockRepository) -> Self {
        Self { repository }
    }

    pub(crate) async fn find_all(&self) -> Result<Vec<StockItem>, sqlx::Error> {
        self.repository.find_all().await
    }

    pub(crate) async fn get(&self, item: ItemId) -> Result<StockItem, ItemError> {
        let found = self.repository.get(&item).await?;
        found.ok_or(ItemError::Unknown(item))
    }

    /// Sets pieces aside for an order, unless that was decided before.
    pub(crate) async fn reserve(
        &self,
        item: ItemId,
        order: OrderId,
        quantity: Quantity,
    ) -> Result<Reservation, ReserveError> {
        match self.repository.reserve(&item, order, quantity).await? {
            Some(decided) => as_asked(decided, quantity),
            None => Err(ReserveError::UnknownItem(item)),
        }
    }

    /// Gives back what an order has reserved; without a reservation it keeps the order from making one later.
    pub(crate) async fn release(
        &self,
        item: ItemId,
        order: OrderId,
    ) -> Result<Reservation, ItemError> {
        let released = self.repository.release(&item, order).await?;
        released.ok_or(ItemError::Unknown(item))
    }
}

/// Whether what was decided, now or earlier, is what is asked for.
fn as_asked(decided: Reservation, asked: Quantity) -> Result<Reservation, ReserveError> {
    let item = decided.item_id.clone();
    match (decided.status, decided.quantity) {
        (_, Some(earlier)) if earlier != asked => {
            Err(ReserveError::OtherQuantity { item, earlier })
        }
        (ReservationStatus::Reserved, _) => Ok(decided),
        (ReservationStatus::Refused, _) => Err(ReserveError::OutOfStock(item)),
        (ReservationStatus::Released, _) => Err(ReserveError::Released(item)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(
        status: ReservationStatus,
        decided: Option<i64>,
        asked: i64,
    ) -> Result<Reservation, ReserveError> {
        let decided = Reservation {
            order_id: OrderId::generate(),
            item_id: "A".parse().unwrap(),
            quantity: decided.map(|n| Quantity::new(n).unwrap()),
            status,
        };
        as_asked(decided, Quantity::new(asked).unwrap())
    }

    #[test]
    fn answers_as_it_was_decided() {
        use ReservationStatus::{Refused, Released, Reserved};
        assert!(answer(Reserved, Some(2), 2).is_ok());
        assert!(matches!(
            answer(Refused, Some(2), 2),
            Err(ReserveError::OutOfStock(_))
        ));
        assert!(matches!(
            answer(Released, Some(2), 2),
            Err(ReserveError::Released(_))
        ));
        assert!(matches!(
            answer(Released, None, 2),
            Err(ReserveError::Released(_))
        ));
    }

    #[test]
    fn refuses_another_quantity_than_before() {
        for status in [
            ReservationStatus::Reserved,
            ReservationStatus::Refused,
            ReservationStatus::Released,
        ] {
            let error = answer(status, Some(2), 3).unwrap_err().to_string();
            assert!(error.contains("asked for 2 of A before"), "{error}");
        }
    }
}
