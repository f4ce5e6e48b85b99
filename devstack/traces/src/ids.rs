//! Trace and span ids: big-endian numbers that are never zero, as W3C Trace Context defines them.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

/// 16 bytes on the wire, 32 hexadecimal digits in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TraceId(NonZeroU128);

/// 8 bytes on the wire, 16 hexadecimal digits in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SpanId(NonZeroU64);

/// Why a text is not a trace id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum TraceIdError {
    #[error("a trace id has at most 32 digits, this one has {0}")]
    TooLong(usize),
    #[error("a trace id consists of hexadecimal digits")]
    NotHexadecimal,
    #[error("a trace id is not zero")]
    Zero,
}

impl TraceId {
    /// `None` unless these are 16 bytes that are not all zero.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let number = u128::from_be_bytes(bytes.try_into().ok()?);
        NonZeroU128::new(number).map(Self)
    }
}

impl SpanId {
    /// `None` unless these are 8 bytes that are not all zero.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let number = u64::from_be_bytes(bytes.try_into().ok()?);
        NonZeroU64::new(number).map(Self)
    }
}

/// Reads what people paste: either case, and, as Jaeger does, short ids as if padded with zeros on the left.
impl FromStr for TraceId {
    type Err = TraceIdError;

    fn from_str(text: &str) -> Result<Self, TraceIdError> {
        // `from_str_radix` would accept a leading plus sign.
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(TraceIdError::NotHexadecimal);
        }
        let number =
            u128::from_str_radix(text, 16).map_err(|_| TraceIdError::TooLong(text.len()))?;
        NonZeroU128::new(number).map(Self).ok_or(TraceIdError::Zero)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pads_a_short_trace_id_on_the_left() {
        let id: TraceId = "AbC".parse().unwrap();
        assert_eq!(id.to_string(), "00000000000000000000000000000abc");
    }

    #[test]
    fn refuses_what_is_not_a_trace_id() {
        let refused = |text: &str| text.parse::<TraceId>().unwrap_err();
        assert_eq!(refused(""), TraceIdError::NotHexadecimal);
        assert_eq!(refused("+1"), TraceIdError::NotHexadecimal);
        assert_eq!(refused("ä"), TraceIdError::NotHexadecimal);
        assert_eq!(refused(&"0".repeat(32)), TraceIdError::Zero);
        assert_eq!(refused(&"1".repeat(33)), TraceIdError::TooLong(33));
    }

    #[test]
    fn refuses_bytes_that_are_all_zero_or_of_the_wrong_length() {
        assert_eq!(TraceId::from_bytes(&[0; 16]), None);
        assert_eq!(TraceId::from_bytes(&[1; 8]), None);
        assert_eq!(SpanId::from_bytes(&[0; 8]), None);
        assert_eq!(SpanId::from_bytes(&[1; 16]), None);
        assert!(SpanId::from_bytes(&[1; 8]).is_some());
    }
}
