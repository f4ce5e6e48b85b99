//! What the inventory service is asked, and what it answers.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ItemId, OrderId, Price, Quantity};

/// An item, and how much of it there is: the answer of `GET /stock/{item_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockItem {
    /// What it is.
    pub item_id: ItemId,
    /// What it is called.
    pub name: String,
    /// Pieces that can be reserved; never below zero.
    pub available: i64,
    /// Pieces that orders have reserved.
    pub reserved: i64,
    /// What a piece costs.
    pub price: Price,
}

/// The body of `POST /stock/{item_id}/reserve`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Reserve {
    /// For which order.
    pub order_id: OrderId,
    /// How many pieces.
    pub quantity: Quantity,
}

/// The body of `POST /stock/{item_id}/release`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Release {
    /// Of which order.
    pub order_id: OrderId,
}

/// What an order has of an item: the answer of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The order.
    pub order_id: OrderId,
    /// The item.
    pub item_id: ItemId,
    /// How many pieces; absent if the order released them before it ever reserved.
    pub quantity: Option<Quantity>,
    /// What was decided.
    pub status: ReservationStatus,
}

/// What was decided about a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// The pieces are set aside.
    Reserved,
    /// There were not enough pieces.
    Refused,
    /// The pieces went back, or are never to be set aside.
    Released,
}

/// A text that names no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such status of a reservation: {0}")]
pub struct UnknownReservationStatus(String);

impl ReservationStatus {
    /// The status as JSON and the database name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Refused => "refused",
            Self::Released => "released",
        }
    }
}

impl FromStr for ReservationStatus {
    type Err = UnknownReservationStatus;

    fn from_str(text: &str) -> Result<Self, UnknownReservationStatus> {
        [Self::Reserved, Self::Refused, Self::Released]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownReservationStatus(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_status_alike_in_json_and_in_text() {
        for status in [
            ReservationStatus::Reserved,
            ReservationStatus::Refused,
            ReservationStatus::Released,
        ] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(status.as_str().parse(), Ok(status));
        }
    }

    #[test]
    fn refuses_a_release_that_names_a_quantity() {
        let json = format!(r#"{{"order_id":"{}","quantity":1}}"#, OrderId::generate());
        assert!(serde_json::from_str::<Reserve>(&json).is_ok());
        assert!(serde_json::from_str::<Release>(&json).is_err());
    }
}
