//! How many, and for how much.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer, Serialize};

use crate::integer;

/// A number that is out of bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} must be an integer between {} and {}, not {value}", .range.start(), .range.end())]
pub struct AmountError {
    name: &'static str,
    range: RangeInclusive<i64>,
    value: i64,
}

fn check(name: &'static str, range: RangeInclusive<i64>, value: i64) -> Result<i64, AmountError> {
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(AmountError { name, range, value })
    }
}

/// How many pieces: 1 to 1 000 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Quantity(i64);

impl Quantity {
    const NAME: &str = "quantity";
    const RANGE: RangeInclusive<i64> = 1..=1_000_000;

    /// Checks the bounds.
    pub fn new(pieces: i64) -> Result<Self, AmountError> {
        check(Self::NAME, Self::RANGE, pieces).map(Self)
    }

    /// The number of pieces.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        integer::deserialize(deserializer, Self::NAME, Self::RANGE).map(Self)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The price of one piece in minor units (cents): 0 to 1 000 000 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Price(i64);

impl Price {
    const NAME: &str = "price";
    const RANGE: RangeInclusive<i64> = 0..=1_000_000_000;

    /// Checks the bounds.
    pub fn new(minor_units: i64) -> Result<Self, AmountError> {
        check(Self::NAME, Self::RANGE, minor_units).map(Self)
    }

    /// The price in minor units.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        integer::deserialize(deserializer, Self::NAME, Self::RANGE).map(Self)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: for<'de> Deserialize<'de> + fmt::Debug>(json: &str) -> String {
        let error = serde_json::from_str::<T>(json).unwrap_err().to_string();
        error.split(" at line").next().unwrap().to_owned()
    }

    #[test]
    fn reads_quantities_and_prices_up_to_their_bounds() {
        for pieces in [1, 2, 999_999, 1_000_000] {
            let quantity: Quantity = serde_json::from_str(&pieces.to_string()).unwrap();
            assert_eq!(quantity, Quantity::new(pieces).unwrap());
            assert_eq!(
                serde_json::to_string(&quantity).unwrap(),
                pieces.to_string()
            );
        }
        for price in [0, 2999, 1_000_000_000] {
            let read: Price = serde_json::from_str(&price.to_string()).unwrap();
            assert_eq!(read.get(), price);
        }
    }

    #[test]
    fn says_what_a_quantity_must_be_whatever_was_sent() {
        for sent in [
            "0",
            "-1",
            "1000001",
            "1000000000000",
            "-9223372036854775808",
            "18446744073709551615",
            "1.5",
            "\"two\"",
            "true",
            "null",
        ] {
            let expected = format!("quantity must be an integer between 1 and 1000000, not {sent}");
            assert_eq!(refusal::<Quantity>(sent), expected);
        }
        for sent in ["1e400", "[1]", "{}"] {
            assert!(!refusal::<Quantity>(sent).is_empty());
        }
    }

    #[test]
    fn refuses_a_number_that_fits_no_integer() {
        let expected = "price must be an integer between 0 and 1000000000, not 1e30";
        assert_eq!(
            refusal::<Price>("1000000000000000000000000000000"),
            expected
        );
        assert_eq!(
            refusal::<Price>("-1"),
            Price::new(-1).unwrap_err().to_string()
        );
    }

    #[test]
    fn tells_back_only_the_start_of_a_long_text() {
        let sent = serde_json::to_string(&"9".repeat(10_000)).unwrap();
        assert!(refusal::<Quantity>(&sent).len() < 120);
    }
}
