//! The door that messages come in by.

mod order_classified;

pub(crate) use order_classified::OrderClassifiedHandler;
