//! The services and APIs that this service calls, one file per remote.

mod embeddings;
mod inventory;

pub(crate) use embeddings::EmbeddingsClient;
pub(crate) use inventory::{InventoryClient, Reservation};
