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
        let with_port = server.rsplit_once(':');
        let with_port = with_port.and_then(|(address, port)| Some((address, port.parse().ok()?)));
        let (address, port) =
            with_port.map_or((server, None), |(address, port)| (address, Some(port)));
        // A literal IPv6 address has brackets before a port and nowhere else.
        let address = address.trim_matches(['[', ']']);
        Self {
            system,
            name: name.to_owned(),
            server_address: address.to_owned(),
            server_port: port,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_without_brackets_and_a_port_if_there_is_one() {
        for (server, address, port) in [
            ("localhost:9092", "localhost", Some(9092)),
            ("[2001:db8::1]:9092", "2001:db8::1", Some(9092)),
            ("[::1]", "::1", None),
            ("pubsub.googleapis.com", "pubsub.googleapis.com", None),
        ] {
            let destination = Destination::new("kafka", "order.created", server);
            let found = (destination.server_address.as_str(), destination.server_port);
            assert_eq!(found, (address, port), "{server}");
        }
    }
}
