//! The members of a JSON object, each value as it is written.
//!
//! Nothing is converted, so numbers keep their digits and members their order.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Names and values in their order.
#[derive(Debug, Default)]
pub(crate) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Those of `text`, if it is an object and nothing else.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_str(text);
        let members = json.deserialize_map(InOrder).ok()?;
        json.end().ok()?;
        Some(members)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.get()))
    }

    /// The value under `name`, the last one if there are several: so JSON is usually read.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let mut values = self.0.iter().rev().filter(|(other, _)| other == name);
        values.next().map(|(_, value)| value.get())
    }

    /// The value under `name`, if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        text(self.get(name)?)
    }

    /// The value under `name`, if it is an object.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        Self::of(self.get(name)?)
    }

    /// All members that are objects.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (&str, Self)> {
        self.iter()
            .filter_map(|(name, value)| Some((name, Self::of(value)?)))
    }

    /// All members that are strings.
    pub(crate) fn texts(&self) -> HashMap<String, String> {
        let texts = self.iter();
        texts
            .filter_map(|(name, value)| Some((name.to_owned(), text(value)?)))
            .collect()
    }
}

/// What a JSON string says; `None` if `value` is another kind of value.
pub(crate) fn text(value: &str) -> Option<String> {
    value
        .starts_with('"')
        .then(|| serde_json::from_str(value).ok())?
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
