//! How an event becomes a payload, and a payload an event.

pub use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads events of type `E`.
pub trait Decode<E>: Send + Sync + 'static {
    /// Reads a payload; `None` is a tombstone, which only Kafka has.
    ///
    /// The error becomes the reason of a dead letter, so it must not tell what was in the payload.
    fn decode(&self, payload: Option<&Bytes>) -> anyhow::Result<E>;
}

/// Writes events of type `E`.
pub trait Encode<E: ?Sized>: Send + Sync + 'static {
    /// Writes a payload; `None` is a tombstone, which only Kafka can carry.
    fn encode(&self, event: &E) -> anyhow::Result<Option<Bytes>>;
}

/// JSON by `serde`: the codec unless another is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Json;

impl<E: DeserializeOwned> Decode<E> for Json {
    fn decode(&self, payload: Option<&Bytes>) -> anyhow::Result<E> {
        let payload = payload.map(AsRef::as_ref).unwrap_or_default();
        serde_json::from_slice(payload).map_err(|error| {
            // Not serde's words, which tell what was sent.
            let (line, column) = (error.line(), error.column());
            anyhow::anyhow!("the payload is not the event, at line {line} column {column}")
        })
    }
}

impl<E: Serialize + ?Sized> Encode<E> for Json {
    fn encode(&self, event: &E) -> anyhow::Result<Option<Bytes>> {
        Ok(Some(serde_json::to_vec(event)?.into()))
    }
}

/// The payload as it is, tombstones included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Raw;

impl Decode<Option<Bytes>> for Raw {
    fn decode(&self, payload: Option<&Bytes>) -> anyhow::Result<Option<Bytes>> {
        Ok(payload.cloned())
    }
}

impl Encode<Option<Bytes>> for Raw {
    fn encode(&self, payload: &Option<Bytes>) -> anyhow::Result<Option<Bytes>> {
        Ok(payload.clone())
    }
}

/// Another codec that also takes tombstones: `Nullable(Json)` reads and writes `Option<E>`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Nullable<C>(pub C);

impl<E, C: Decode<E>> Decode<Option<E>> for Nullable<C> {
    fn decode(&self, payload: Option<&Bytes>) -> anyhow::Result<Option<E>> {
        payload
            .map(|payload| self.0.decode(Some(payload)))
            .transpose()
    }
}

impl<E, C: Encode<E>> Encode<Option<E>> for Nullable<C> {
    fn encode(&self, event: &Option<E>) -> anyhow::Result<Option<Bytes>> {
        match event {
            Some(event) => self.0.encode(event),
            None => Ok(None),
        }
    }
}
