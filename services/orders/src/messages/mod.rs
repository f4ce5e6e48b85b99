//! What goes out, and the door that messages come in by.

pub mod events;
mod order_classified;

pub use order_classified::OrderClassifiedHandler;
