//! Who and what: orders, customers, items.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::{Uuid, Version};

/// A text that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not what [`OrderId`] wants.
    #[error("order id must be a UUID of version 7")]
    Order,
    /// Not what [`CustomerId`] or [`ItemId`] want.
    #[error("{0} must be 1 to 64 letters, digits, dashes, underscores or single dots between them")]
    Name(&'static str),
}

/// An order's id: a UUID of version 7, so ids sort by the time they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct OrderId(Uuid);

impl OrderId {
    /// A new id.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id as a column of type `uuid` holds it.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl TryFrom<Uuid> for OrderId {
    type Error = IdError;

    fn try_from(uuid: Uuid) -> Result<Self, IdError> {
        match uuid.get_version() {
            Some(Version::SortRand) => Ok(Self(uuid)),
            _ => Err(IdError::Order),
        }
    }
}

impl FromStr for OrderId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Uuid::try_parse(text)
            .map_err(|_| IdError::Order)?
            .try_into()
    }
}

impl TryFrom<String> for OrderId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who ordered: 1 to 64 letters, digits, dashes, underscores and single dots within, as in the local part of an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct CustomerId(String);

impl CustomerId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How this customer is served: those whose id begins with `vip-` are [`Tier::Vip`].
    pub fn tier(&self) -> Tier {
        if self.0.starts_with("vip-") {
            Tier::Vip
        } else {
            Tier::Standard
        }
    }
}

impl TryFrom<String> for CustomerId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        if is_name(&text) {
            Ok(Self(text))
        } else {
            Err(IdError::Name("customer id"))
        }
    }
}

impl FromStr for CustomerId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.to_owned().try_into()
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a customer is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// As everybody.
    Standard,
    /// Before everybody.
    Vip,
}

impl Tier {
    /// The tier as baggage and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Vip => "vip",
        }
    }
}

/// What is sold: 1 to 64 letters, digits, dashes, underscores and single dots within, so it stands in a URL as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ItemId(String);

impl ItemId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ItemId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        if is_name(&text) {
            Ok(Self(text))
        } else {
            Err(IdError::Name("item id"))
        }
    }
}

impl FromStr for ItemId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.to_owned().try_into()
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A `dot-atom` (RFC 5322 §3.2.3) of few characters: neither an address nor a path can be broken by it.
fn is_name(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    (1..=64).contains(&text.len())
        && text
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ids_as_they_are_written() {
        let order = OrderId::generate();
        assert_eq!(order.to_string().parse(), Ok(order));
        assert_eq!(OrderId::try_from(order.as_uuid()), Ok(order));
        for name in ["a", "ITEM-001", "vip-jane.doe_2", &"x".repeat(64)] {
            assert_eq!(name.parse::<CustomerId>().unwrap().as_str(), name);
            assert_eq!(name.parse::<ItemId>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn refuses_names_that_would_break_an_address_or_a_path() {
        for name in [
            "",
            " ",
            ".",
            "..",
            ".a",
            "a.",
            "a..b",
            "a b",
            "a/b",
            "a@b",
            "a\0",
            "a\n",
            "ä",
            "%2e",
            "<a>",
            &"x".repeat(65),
        ] {
            assert_eq!(
                name.parse::<CustomerId>(),
                Err(IdError::Name("customer id")),
                "{name:?}"
            );
            assert_eq!(
                name.parse::<ItemId>(),
                Err(IdError::Name("item id")),
                "{name:?}"
            );
        }
    }

    #[test]
    fn refuses_order_ids_that_are_not_of_version_7() {
        let random = Uuid::new_v4().to_string();
        for id in ["", "1", "not-a-uuid", &Uuid::nil().to_string(), &random] {
            assert_eq!(id.parse::<OrderId>(), Err(IdError::Order), "{id}");
        }
    }

    #[test]
    fn makes_order_ids_that_sort_by_time() {
        let ids: Vec<_> = (0..1000).map(|_| OrderId::generate()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn knows_important_customers_by_their_prefix() {
        for (id, tier) in [
            ("vip-1", Tier::Vip),
            ("VIP-1", Tier::Standard),
            ("mvip-1", Tier::Standard),
        ] {
            assert_eq!(id.parse::<CustomerId>().unwrap().tier(), tier, "{id}");
        }
    }

    #[test]
    fn says_in_json_what_an_id_must_be() {
        let error = serde_json::from_str::<CustomerId>("\"a b\"")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("customer id must be 1 to 64 letters"),
            "{error}"
        );
    }
}
