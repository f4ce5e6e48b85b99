//! What every stand-in has around its own protocol: a door that web pages cannot open, and an orderly end.

mod guard;
mod serve;
#[cfg(feature = "testing")]
pub mod testing;

pub use guard::Visitors;
pub use serve::serve;
