//! The door that messages come in by.

mod order_classified;

pub use order_classified::OrderClassifiedHandler;
