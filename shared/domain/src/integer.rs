//! Reading a bounded integer from JSON, with an answer that names the bounds whatever came instead.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;

use serde::de::{Deserializer, Error, Visitor};

/// Reads an integer within `range`; `name` is what the sender calls it.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
    name: &'static str,
    range: RangeInclusive<i64>,
) -> Result<i64, D::Error> {
    deserializer.deserialize_any(Bounded { name, range })
}

struct Bounded {
    name: &'static str,
    range: RangeInclusive<i64>,
}

impl Bounded {
    fn refuse<E: Error>(&self, value: impl Display) -> E {
        let (min, max) = (self.range.start(), self.range.end());
        let name = self.name;
        E::custom(format_args!(
            "{name} must be an integer between {min} and {max}, not {value}"
        ))
    }
}

impl Visitor<'_> for Bounded {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "an integer between {} and {}",
            self.range.start(),
            self.range.end()
        )
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<i64, E> {
        if self.range.contains(&value) {
            Ok(value)
        } else {
            Err(self.refuse(value))
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value)
            .map_err(|_| self.refuse(value))
            .and_then(|value| self.visit_i64(value))
    }

    // JSON has one kind of number, but 2.0 is refused as 1.5 is: who writes it means something else.
    fn visit_f64<E: Error>(self, value: f64) -> Result<i64, E> {
        // As it is debugged, 1e300 has five characters and not 301.
        Err(self.refuse(format_args!("{value:?}")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<i64, E> {
        // What was sent is told back, but not all of it.
        let start: String = value.chars().take(32).collect();
        Err(self.refuse(format_args!("{start:?}")))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<i64, E> {
        Err(self.refuse(value))
    }

    fn visit_unit<E: Error>(self) -> Result<i64, E> {
        Err(self.refuse("null"))
    }
}
