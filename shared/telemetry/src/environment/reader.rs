//! Values by the specification's types; what cannot be followed is said in one line that names variable and value.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use percent_encoding::percent_decode_str;

/// What the specification calls an indefinite timeout: "a very long time".
const INDEFINITE: Duration = Duration::from_millis(i32::MAX as u64);

pub(super) struct Reader<'a> {
    variables: BTreeMap<&'a str, &'a str>,
    pub(super) warnings: Vec<String>,
    pub(super) refusal: Option<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a [(String, String)]) -> Self {
        let variables = variables.iter();
        Self {
            variables: variables
                .map(|(name, value)| (name.as_str(), value.trim()))
                .filter(|(_, value)| !value.is_empty())
                .collect(),
            warnings: Vec::new(),
            refusal: None,
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.variables.keys().copied()
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|&value| value.to_owned())
    }

    /// The first of these variables that has a value.
    pub(super) fn first<'n>(&self, names: &'n [String]) -> Option<(&'n str, String)> {
        names
            .iter()
            .find_map(|name| Some((name.as_str(), self.text(name)?)))
    }

    /// Says once that the value of `name` is not followed, and why.
    pub(super) fn warn(&mut self, name: &str, why: &str) {
        let warning = format!("{}: {why}", self.shown(name));
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    pub(super) fn warn_if_set(&mut self, name: &str, why: &str) {
        if self.variables.contains_key(name) {
            self.warn(name, why);
        }
    }

    /// Says that a process must not start with the value of `name`.
    pub(super) fn refuse(&mut self, name: &str, why: &str) {
        let refusal = format!("{}: {why}", self.shown(name));
        self.refusal.get_or_insert(refusal);
    }

    /// `NAME=value`; headers are credentials, and so is what stands before an `@`.
    pub(super) fn shown(&self, name: &str) -> String {
        let value = self.variables.get(name).copied().unwrap_or_default();
        if name.ends_with("_HEADERS") {
            return format!("{name}=…");
        }
        match value.rsplit_once('@') {
            Some((before, host)) if name.ends_with("_ENDPOINT") => {
                // Over gRPC an address may have no scheme.
                let scheme = before.split_inclusive("://").next();
                let scheme = scheme.filter(|scheme| scheme.ends_with("://"));
                let scheme = scheme.unwrap_or_default();
                format!("{name}={scheme}REDACTED:REDACTED@{host}")
            }
            _ => format!("{name}={value}"),
        }
    }

    pub(super) fn boolean(&mut self, name: &str) -> bool {
        match self.text(name) {
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) if !value.eq_ignore_ascii_case("false") => {
                self.warn(name, "it is neither true nor false, and counts as false");
                false
            }
            _ => false,
        }
    }

    /// A value out of a set, in any case.
    pub(super) fn choice<T: Clone>(&mut self, name: &str, known: &[(&str, T)]) -> Option<T> {
        let value = self.text(name)?;
        let mut known_values = known.iter();
        let found = known_values.find(|(known, _)| value.eq_ignore_ascii_case(known));
        if found.is_none() {
            let known: Vec<_> = known.iter().map(|(known, _)| *known).collect();
            let why = format!("it is ignored; {} are known", known.join(", "));
            self.warn(name, &why);
        }
        found.map(|(_, chosen)| chosen.clone())
    }

    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self.text(name)?;
        match value.parse() {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                let (least, most) = (range.start(), range.end());
                let why = format!("it is ignored, being no whole number from {least} to {most}");
                self.warn(name, &why);
                None
            }
        }
    }

    fn milliseconds(&mut self, name: &str) -> Option<u32> {
        self.number(name, 0..=i32::MAX as u32)
    }

    pub(super) fn duration(&mut self, name: &str) -> Option<Duration> {
        let milliseconds = self.milliseconds(name)?;
        Some(Duration::from_millis(milliseconds.into()))
    }

    /// As [`duration`](Self::duration), but 0 sets no limit.
    pub(super) fn timeout(&mut self, name: &str) -> Option<Duration> {
        let timeout = self.duration(name)?;
        Some(if timeout.is_zero() {
            INDEFINITE
        } else {
            timeout
        })
    }

    /// A comma-separated list.
    pub(super) fn list(&self, name: &str, default: &[&str]) -> Vec<String> {
        let listed = self.text(name).unwrap_or_else(|| default.join(","));
        let items = listed.split(',').map(str::trim);
        items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// `key=value,key=value`, as in W3C's `baggage` header without properties; `otherwise` says what becomes of another
    /// value.
    pub(super) fn pairs(&mut self, name: &str, otherwise: &str) -> Vec<(String, String)> {
        let listed = self.text(name).unwrap_or_default();
        let items = listed
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        let pairs: Option<Vec<_>> = items.map(pair).collect();
        // The specification discards the whole value, so that nobody goes on with half of it.
        pairs.unwrap_or_else(|| {
            let why =
                format!("{otherwise}, being no list of key=value with percent-encoded values");
            self.warn(name, &why);
            Vec::new()
        })
    }
}

fn pair(item: &str) -> Option<(String, String)> {
    let (key, value) = item.split_once('=')?;
    let (key, value) = (decoded(key.trim())?, decoded(value.trim())?);
    (!key.is_empty()).then_some((key, value))
}

/// `None` where a `%` begins no byte, or where the bytes are no text.
fn decoded(text: &str) -> Option<String> {
    let is_hex = |digits: &str| {
        let digits = digits.as_bytes();
        digits.len() >= 2 && digits[..2].iter().all(u8::is_ascii_hexdigit)
    };
    if !text.split('%').skip(1).all(is_hex) {
        return None;
    }
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some(text.into_owned())
}
