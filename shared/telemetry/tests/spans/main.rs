//! The spans of HTTP and SQL, as an exporter gets them.

mod baggage;
mod client;
mod server;
mod sql;
