//! Whether an address is one: the `value_parser` of each setting that says where a broker is.

/// Checks a list of `host:port`, separated by commas.
#[cfg(any(feature = "kafka", feature = "pubsub"))]
pub(crate) fn hosts(text: &str) -> Result<String, String> {
    let wrong = text.split(',').map(str::trim).find(|host| !is_host(host));
    match wrong {
        Some(wrong) => Err(format!("{wrong:?} is not host:port")),
        None => Ok(text.to_owned()),
    }
}

#[cfg(any(feature = "kafka", feature = "pubsub"))]
fn is_host(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
    })
}

/// Checks that `text` begins as an HTTP URL does.
#[cfg(feature = "sqs")]
pub(crate) fn endpoint(text: &str) -> Result<String, String> {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match rest {
        Some(host) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("it is not a URL that begins with http:// or https://".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(feature = "kafka", feature = "pubsub"))]
    #[test]
    fn refuses_hosts_that_are_none() {
        assert!(hosts("kafka-1:9092,[::1]:9092").is_ok());
        for wrong in [
            "kafka",
            "http://kafka:9092",
            ":9092",
            "kafka:port",
            "a:1,,b:2",
        ] {
            assert!(hosts(wrong).is_err(), "{wrong}");
        }
    }

    #[cfg(feature = "sqs")]
    #[test]
    fn refuses_an_endpoint_that_is_no_url() {
        assert!(endpoint("http://localhost:9324").is_ok());
        assert!(endpoint("localhost:9324").is_err());
    }
}
