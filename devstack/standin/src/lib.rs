//! What every stand-in has around its own protocol: a door that web pages cannot open, an orderly end, and faults on purpose.

pub mod faults;
mod guard;
mod serve;
#[cfg(feature = "testing")]
pub mod testing;

pub use guard::Visitors;
pub use serve::serve;
