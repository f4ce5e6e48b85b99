//! A span as the reader of a story needs it: the OpenTelemetry data model, without its wire form.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// Identifies a trace: 16 bytes, written as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(pub [u8; 16]);

/// Identifies a span within its trace: 8 bytes, written as 16 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(pub [u8; 8]);

/// An identifier that is not hex of the right length, or is all zeros, which W3C Trace Context forbids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not {1} hex digits, not all zero")]
pub struct InvalidId(String, usize);

macro_rules! hex_id {
    ($id:ident, $bytes:literal) => {
        impl $id {
            /// `None` unless these are bytes of the right number that are not all zero.
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let bytes = bytes.try_into().ok()?;
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $id {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let bytes = hex::decode(text).unwrap_or_default();
                Self::from_bytes(&bytes).ok_or_else(|| InvalidId(text.to_owned(), 2 * $bytes))
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(de::Error::custom)
            }
        }

        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

hex_id!(TraceId, 16);
hex_id!(SpanId, 8);

/// Points at one span of one trace; what a link carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpanRef {
    pub trace_id: TraceId,
    pub span_id: SpanId,
}

/// What role a span plays; the names are those of the OpenTelemetry specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl Kind {
    /// The name in capitals, as the specification writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "INTERNAL",
            Self::Server => "SERVER",
            Self::Client => "CLIENT",
            Self::Producer => "PRODUCER",
            Self::Consumer => "CONSUMER",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Attributes by name, in the order of their names.
pub type Attributes = BTreeMap<String, Value>;

/// Whether the operation failed. `Ok` is left out: no service of ours sets it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub enum Status {
    #[default]
    Unset,
    /// With the developer's message, which may be empty.
    Error(String),
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    pub name: String,
    /// Nanoseconds since the Unix epoch.
    pub at: u64,
    pub attributes: Attributes,
}

/// One operation of one service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Span {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub parent: Option<SpanId>,
    pub name: String,
    /// The resource's `service.name`.
    pub service: String,
    pub kind: Kind,
    /// Nanoseconds since the Unix epoch.
    pub start: u64,
    /// Nanoseconds since the Unix epoch.
    pub end: u64,
    pub attributes: Attributes,
    pub links: Vec<SpanRef>,
    pub status: Status,
    pub events: Vec<Event>,
}

/// As a sentence names it: `` `send mail` (email, CLIENT) ``.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({}, {})", self.name, self.service, self.kind)
    }
}

impl Span {
    /// Where links to this span point.
    pub fn reference(&self) -> SpanRef {
        self.sibling(self.span_id)
    }

    /// The span this one hangs under, whether or not it was stored.
    pub fn parent_reference(&self) -> Option<SpanRef> {
        self.parent.map(|parent| self.sibling(parent))
    }

    fn sibling(&self, span_id: SpanId) -> SpanRef {
        SpanRef {
            trace_id: self.trace_id,
            span_id,
        }
    }

    /// The span that sent the message which this one handles, by its link or, without one, by its parent.
    pub fn sender(&self) -> Option<SpanRef> {
        let link = self.links.first().copied();
        link.or_else(|| self.parent_reference())
    }

    pub fn is_error(&self) -> bool {
        matches!(self.status, Status::Error(_))
    }

    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// The text of the attribute `name`; empty without one.
    pub fn text(&self, name: &str) -> &str {
        let text = self.attribute(name).and_then(Value::as_str);
        text.unwrap_or_default()
    }

    /// How long the message waited in the broker, in milliseconds; `None` off a broker.
    pub fn queue_time_ms(&self) -> Option<f64> {
        self.attribute("orderflow.messaging.queue_time_ms")?
            .as_f64()
    }

    /// Which delivery of its message this is, from 1; `None` off a broker.
    pub fn attempt(&self) -> Option<i64> {
        self.attribute("orderflow.messaging.attempt")?.as_i64()
    }

    /// Whether the span stands for a call to a broker that may concern messages of many orders.
    ///
    /// The conventions give `receive`, `settle` and batch `send` spans the kind CLIENT.
    /// Their links lead out of one order's story into its neighbours', so a story does not follow them.
    pub fn is_broker_call(&self) -> bool {
        self.kind == Kind::Client && self.attribute("messaging.operation.type").is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_ids_as_hex() {
        let id: TraceId = "4bf92f3577b34da6a3ce929d0e0e4736".parse().unwrap();
        assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    #[test]
    fn refuses_ids_that_are_zero_short_or_not_hex() {
        for text in ["", "4bf92f35", "0000000000000000", "zzzzzzzzzzzzzzzz"] {
            assert!(text.parse::<SpanId>().is_err(), "{text}");
        }
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
