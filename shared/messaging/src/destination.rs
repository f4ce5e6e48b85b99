//! Topics and queues.

/// A topic or queue, as spans describe it.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) system: &'static str,
    pub(crate) name: String,
    pub(crate) server_address: String,
    pub(crate) server_port: Option<u16>,
}

impl Destination {
    /// `server` is `host:port`.
    pub(crate) fn new(system: &'static str, name: &str, server: &str) -> Self {
        let (address, port) = match server.rsplit_once(':') {
            Some((address, port)) => (address, port.parse().ok()),
            None => (server, None),
        };
        Self {
            system,
            name: name.to_owned(),
            server_address: address.to_owned(),
            server_port: port,
        }
    }
}
