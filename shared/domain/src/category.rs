use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What kind of order the classifier takes an order for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Nothing special.
    Standard,
    /// Breaks easily.
    Fragile,
    /// Goes bad.
    Perishable,
    /// Is a present.
    Gift,
    /// Somebody should look at it before it is sent.
    Suspicious,
}

/// A text that names no category.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such category: {0}")]
pub struct UnknownCategory(String);

impl Category {
    /// Every category.
    pub const ALL: [Self; 5] = [
        Self::Standard,
        Self::Fragile,
        Self::Perishable,
        Self::Gift,
        Self::Suspicious,
    ];

    /// The category as JSON and the database name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Fragile => "fragile",
            Self::Perishable => "perishable",
            Self::Gift => "gift",
            Self::Suspicious => "suspicious",
        }
    }
}

impl FromStr for Category {
    type Err = UnknownCategory;

    fn from_str(text: &str) -> Result<Self, UnknownCategory> {
        let named = Self::ALL
            .into_iter()
            .find(|category| category.as_str() == text);
        named.ok_or_else(|| UnknownCategory(text.to_owned()))
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_named_alike_in_json_and_in_text() {
        for category in Category::ALL {
            let json = serde_json::to_string(&category).unwrap();
            assert_eq!(json, format!("\"{category}\""));
            assert_eq!(category.as_str().parse(), Ok(category));
        }
        assert!("Gift".parse::<Category>().is_err());
    }
}
