//! The services and APIs that this service calls, one file per remote.

mod embeddings;
mod inventory;

pub use embeddings::EmbeddingsClient;
pub use inventory::{InventoryClient, Reservation};
