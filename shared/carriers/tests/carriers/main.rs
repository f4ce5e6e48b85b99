//! What the carriers promise, per broker.

mod allocations;
mod envelopes;
mod eventbridge;
mod helpers;
mod kafka;
mod properties;
mod pubsub;
mod sns;
mod sqs;
mod w3c;
