//! Query parameters in all the spellings that Jaeger's versions use.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use chrono::DateTime;
use http::request::Parts;

/// The decoded parameters of a request, in order; one that is there but empty counts as absent, as in Jaeger.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

/// A parameter that cannot be read; becomes a 400 in the error shape of the API it was sent to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("malformed parameter {name}: {reason}")]
pub(super) struct ParamError {
    name: String,
    reason: String,
}

impl ParamError {
    pub(super) fn new(name: &str, reason: &(impl ToString + ?Sized)) -> Self {
        Self {
            name: name.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = axum::extract::rejection::QueryRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Query(pairs) = Query::from_request_parts(parts, state).await?;
        Ok(Self(pairs))
    }
}

impl Params {
    /// The first value that is there under one of the names.
    pub(super) fn get<'a>(&'a self, names: &[&'a str]) -> Option<(&'a str, &'a str)> {
        let value = |name: &str| {
            let mut pairs = self.0.iter();
            pairs.find(|(key, value)| key == name && !value.is_empty())
        };
        names
            .iter()
            .find_map(|name| value(name).map(|(_, value)| (*name, value.as_str())))
    }

    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        self.get(names).map(|(_, value)| value.to_owned())
    }

    /// Reads a parameter with a function of this module, or says which one is malformed.
    pub(super) fn read<T>(
        &self,
        names: &[&str],
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ParamError> {
        let Some((name, value)) = self.get(names) else {
            return Ok(None);
        };
        parse(value)
            .map(Some)
            .map_err(|reason| ParamError::new(name, &reason))
    }
}

/// A whole number or any other type that reads itself.
pub(super) fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// RFC 3339 to nanoseconds since 1970; a time outside of what nanoseconds can count becomes the nearest one.
pub(super) fn rfc3339_nanos(text: &str) -> Result<u64, String> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|error| error.to_string())?;
    let nanos =
        i128::from(time.timestamp()) * 1_000_000_000 + i128::from(time.timestamp_subsec_nanos());
    Ok(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}

/// A JSON object of texts, such as `{"http.route":"/orders"}`.
pub(super) fn string_map(text: &str) -> Result<Vec<(String, String)>, String> {
    let map: BTreeMap<String, String> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(map.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_and_clamps_those_it_cannot_count() {
        assert_eq!(rfc3339_nanos("1970-01-01T00:00:01.5Z"), Ok(1_500_000_000));
        assert_eq!(rfc3339_nanos("1960-01-01T00:00:00Z"), Ok(0));
        assert_eq!(rfc3339_nanos("9999-01-01T00:00:00Z"), Ok(u64::MAX));
        assert!(rfc3339_nanos("yesterday").is_err());
    }

    #[test]
    fn prefers_the_first_spelling_and_skips_empty_values() {
        let params = Params(vec![("b".into(), "2".into()), ("a".into(), String::new())]);
        assert_eq!(params.get(&["a", "b"]), Some(("b", "2")));
        assert_eq!(
            params.read(&["b"], |_| Err::<u64, _>("why".into())),
            Err(ParamError::new("b", "why"))
        );
    }
}
