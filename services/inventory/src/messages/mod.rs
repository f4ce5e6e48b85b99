//! The door that messages come in by.

mod order_ended;

pub(crate) use order_ended::OrderEndedHandler;
