//! `--healthcheck`: a service asks another of its kind, on the same address, whether it is ready.
//!
//! A container's health is asked by a command inside it, and our images have neither a shell nor `curl`.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Arg, ArgAction, ArgMatches};

const ID: &str = "healthcheck";

/// Longer than `/readyz` takes to find out that a dependency does not answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// The flag that every service has.
pub(crate) fn arg() -> Arg {
    Arg::new(ID).long(ID).action(ArgAction::SetTrue).help(
        "Ask the service that listens on LISTEN_ADDR whether it is ready, and end with 0 if it is",
    )
}

/// Where to ask, if that is what the command line wants.
pub(crate) fn wanted(matches: &ArgMatches) -> Option<SocketAddr> {
    let listen = || matches.get_one("listen_addr");
    matches
        .get_flag(ID)
        .then(|| reachable(*listen().expect("every service has LISTEN_ADDR, with a default")))
}

/// Asks `/readyz` at `address`; the error is what the service says about it, or why it says nothing.
pub(crate) fn ask(address: SocketAddr) -> anyhow::Result<()> {
    let answer = get(address, "/readyz").with_context(|| format!("asking {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    ensure!(head.split(' ').nth(1) == Some("200"), "{body}");
    Ok(())
}

/// One request in HTTP/1.0, where the answer ends with the connection.
fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut connection = TcpStream::connect_timeout(&address, ANSWER_WITHIN)?;
    connection.set_read_timeout(Some(ANSWER_WITHIN))?;
    write!(connection, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

/// A service that listens on every address of the machine is asked on its loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    #[test]
    fn asks_the_loopback_when_the_service_listens_everywhere() {
        for (listen, asked) in [
            ("0.0.0.0:8081", "127.0.0.1:8081"),
            ("[::]:8081", "[::1]:8081"),
            ("10.0.0.7:8081", "10.0.0.7:8081"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }

    /// A server that answers one request with `answer`.
    fn answering(answer: &'static str) -> (SocketAddr, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            // To its end: closing a connection with something unread in it takes the answer away.
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                connection.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            connection.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        (address, server)
    }

    #[test]
    fn is_content_with_a_service_that_is_ready() {
        let (address, server) = answering("HTTP/1.0 200 OK\r\n\r\n{}");
        ask(address).unwrap();
        assert!(
            server
                .join()
                .unwrap()
                .starts_with("GET /readyz HTTP/1.0\r\n")
        );
    }

    #[test]
    fn says_what_a_service_says_that_is_not_ready() {
        let answer = "HTTP/1.0 503 Service Unavailable\r\n\r\nnot ready: Kafka";
        let (address, _server) = answering(answer);
        assert_eq!(ask(address).unwrap_err().to_string(), "not ready: Kafka");
    }

    #[test]
    fn says_where_nobody_answers() {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = nobody.local_addr().unwrap();
        drop(nobody);
        let error = ask(address).unwrap_err().to_string();
        assert_eq!(error, format!("asking {address}"));
    }
}
