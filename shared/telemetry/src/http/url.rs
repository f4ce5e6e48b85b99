//! URLs, hosts and methods as the conventions let them into attributes: no secrets, no brackets, no surprises.

use std::borrow::Cow;

use http::{Method, Version};
use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::environment::settings;

const REDACTED: &str = "REDACTED";

/// The URL without what gives access: the user, the password, and the values of sensitive query parameters.
///
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/>
pub(super) fn redacted(url: &Url) -> String {
    let mut shown = url.clone();
    if !url.username().is_empty() || url.password().is_some() {
        // Both fail only for URLs that have no host, which have no credentials either.
        shown.set_username(REDACTED).ok();
        shown.set_password(Some(REDACTED)).ok();
    }
    if let Some(Cow::Owned(query)) = url.query().map(redacted_query) {
        shown.set_query(Some(&query));
    }
    shown.into()
}

/// The query with the values of sensitive parameters redacted, and everything else as it was.
pub(super) fn redacted_query(query: &str) -> Cow<'_, str> {
    redacted_values(query, &settings().sensitive_query_parameters)
}

fn redacted_values<'a>(query: &'a str, sensitive: &[String]) -> Cow<'a, str> {
    if !query.split('&').any(|pair| is_sensitive(pair, sensitive)) {
        return Cow::Borrowed(query);
    }
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_sensitive(pair, sensitive) => format!("{name}={REDACTED}"),
            _ => pair.to_owned(),
        })
        .collect();
    Cow::Owned(pairs.join("&"))
}

/// Compared as a server reads it, so that `s%69g` hides nothing, and case-sensitively, as the conventions want it.
fn is_sensitive(pair: &str, sensitive: &[String]) -> bool {
    let Some((name, _)) = pair.split_once('=') else {
        return false;
    };
    let name = percent_decode_str(name).decode_utf8_lossy();
    sensitive.iter().any(|sensitive| *sensitive == name)
}

/// A host as `server.address` shows it: an IPv6 address has brackets in a URL, and none of its own.
pub fn bare_host(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// The method, if the conventions let it into names and attributes as it is.
pub(super) fn known(method: &Method) -> Option<&str> {
    let known = &settings().known_methods;
    known
        .iter()
        .any(|known| known == method.as_str())
        .then_some(method.as_str())
}

/// `network.protocol.version`.
pub(super) fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
