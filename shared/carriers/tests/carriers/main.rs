//! What the carriers promise, per broker.

mod allocations;
mod helpers;
mod kafka;
mod properties;
mod pubsub;
mod sqs;
