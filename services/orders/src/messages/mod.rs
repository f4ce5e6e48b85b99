//! What goes out, and the door that messages come in by.

pub(crate) mod events;
mod order_classified;

pub(crate) use order_classified::OrderClassifiedHandler;
