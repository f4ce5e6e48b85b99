//! The services behind the gateway, one file per remote.

mod inventory;
mod orders;
mod upstream;

pub(crate) use inventory::InventoryClient;
pub(crate) use orders::OrdersClient;
pub(crate) use upstream::{Answer, UpstreamError};
