//! Where a part listens, in the words of the screen.

use super::Part;
use crate::ports::{Port, Ports};

/// `host:port`
pub(crate) fn host(ports: &Ports, port: Port) -> String {
    format!("127.0.0.1:{}", ports.of(port))
}

pub(crate) fn url(ports: &Ports, port: Port) -> String {
    format!("http://{}", host(ports, port))
}

/// A part by its first port, and what else there is to know.
pub(crate) fn of(part: Part, ports: &Ports) -> String {
    match part {
        Part::Kafka => host(ports, Port::Kafka),
        Part::Mail => mail(ports),
        Part::Traces => traces(ports),
        part => url(ports, part.ports()[0]),
    }
}

fn mail(ports: &Ports) -> String {
    let (page, smtp) = (url(ports, Port::Mail), ports.of(Port::Smtp));
    format!("{page}  (SMTP on {smtp})")
}

fn traces(ports: &Ports) -> String {
    let page = url(ports, Port::Traces);
    let [grpc, http] = [Port::OtlpGrpc, Port::OtlpHttp].map(|port| ports.of(port));
    format!("{page}  (OTLP: gRPC on {grpc}, HTTP on {http})")
}
