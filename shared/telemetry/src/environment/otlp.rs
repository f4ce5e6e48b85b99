//! Where a signal goes, and how: the variables of the OTLP exporter.
//!
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;

use super::reader::Reader;

/// The transport of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    HttpProtobuf,
    HttpJson,
}

/// How one signal is exported over OTLP.
#[derive(Debug, Clone)]
pub(crate) struct Otlp {
    pub(crate) protocol: Protocol,
    /// Over HTTP with the signal's path.
    pub(crate) endpoint: Url,
    /// The variable that names the endpoint, and its value without secrets; or what the default is.
    pub(crate) named_by: String,
    pub(crate) headers: HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
    pub(crate) tls: Tls,
}

/// What is trusted, and who one is; all of it as PEM.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tls {
    /// Instead of the system's own authorities.
    pub(crate) authorities: Option<Vec<u8>>,
    /// Certificate and key.
    pub(crate) client: Option<(Vec<u8>, Vec<u8>)>,
}

/// `None` if the signal is not exported.
pub(super) fn exporter(reader: &mut Reader<'_>, signal: &str) -> Option<Otlp> {
    let exporter = format!("OTEL_{signal}_EXPORTER");
    let exports = exports_otlp(reader, &exporter);
    exports.then(|| Signal { reader, signal }.otlp())
}

fn exports_otlp(reader: &mut Reader<'_>, name: &str) -> bool {
    let exporters = reader.list(name, &["otlp"]);
    let is = |known: &str| {
        exporters
            .iter()
            .any(|name| name.eq_ignore_ascii_case(known))
    };
    for unknown in &exporters {
        if !["otlp", "none"]
            .iter()
            .any(|known| unknown.eq_ignore_ascii_case(known))
        {
            let why = format!("{unknown:?} is left out: otlp and none are known");
            reader.warn(name, &why);
        }
    }
    is("otlp") || !is("none")
}

/// One signal, whose own variables come before those of all signals.
struct Signal<'r, 'a> {
    reader: &'r mut Reader<'a>,
    signal: &'r str,
}

impl Signal<'_, '_> {
    fn otlp(&mut self) -> Otlp {
        let protocol = self.protocol();
        let (endpoint, named_by) = self.endpoint(protocol);
        Otlp {
            protocol,
            named_by,
            headers: self.headers(),
            timeout: self.timeout(),
            gzip: self.gzip(),
            tls: self.tls(&endpoint),
            endpoint,
        }
    }

    fn names(&self, what: &str) -> [String; 2] {
        [
            format!("OTEL_EXPORTER_OTLP_{}_{what}", self.signal),
            format!("OTEL_EXPORTER_OTLP_{what}"),
        ]
    }

    fn first(&self, what: &str) -> Option<(String, String)> {
        let names = self.names(what);
        let (name, value) = self.reader.first(&names)?;
        Some((name.to_owned(), value))
    }

    fn protocol(&mut self) -> Protocol {
        let known = [
            ("grpc", Protocol::Grpc),
            ("http/protobuf", Protocol::HttpProtobuf),
            ("http/json", Protocol::HttpJson),
        ];
        let mut names = self.names("PROTOCOL").into_iter();
        let chosen = names.find_map(|name| self.reader.choice(&name, &known));
        chosen.unwrap_or(Protocol::Grpc)
    }

    fn timeout(&mut self) -> Duration {
        let mut names = self.names("TIMEOUT").into_iter();
        let chosen = names.find_map(|name| self.reader.timeout(&name));
        chosen.unwrap_or(Duration::from_secs(10))
    }

    fn gzip(&mut self) -> bool {
        let known = [("gzip", true), ("none", false)];
        let mut names = self.names("COMPRESSION").into_iter();
        let chosen = names.find_map(|name| self.reader.choice(&name, &known));
        chosen.unwrap_or(false)
    }

    fn headers(&mut self) -> HeaderMap {
        let Some((name, _)) = self.first("HEADERS") else {
            return HeaderMap::new();
        };
        let mut headers = HeaderMap::new();
        for (key, value) in self.reader.pairs(&name, "what can be read of it is sent") {
            let header = HeaderName::try_from(&key).ok();
            match header.zip(HeaderValue::try_from(value).ok()) {
                Some((key, value)) => drop(headers.insert(key, value)),
                // Not with its name: in another form than this one, a secret is a part of it.
                None => self
                    .reader
                    .warn(&name, "one of them is no header, and is not sent"),
            }
        }
        headers
    }

    fn endpoint(&mut self, protocol: Protocol) -> (Url, String) {
        let default = match protocol {
            Protocol::Grpc => "http://localhost:4317",
            Protocol::HttpProtobuf | Protocol::HttpJson => "http://localhost:4318",
        };
        let Some((name, value)) = self.first("ENDPOINT") else {
            // There is nothing to ask for with it, and a wrong value is said all the same.
            self.insecure();
            let endpoint = self.with_path(&url(default), protocol, true);
            return (endpoint, default.to_owned());
        };
        let of_all_signals = !name.contains(self.signal);
        let endpoint = self.with_scheme(&value, protocol);
        let endpoint = match endpoint.parse::<Url>() {
            Ok(endpoint) if is_web(&endpoint) => endpoint,
            _ => {
                let why = match protocol {
                    Protocol::Grpc => "it is no address such as http://localhost:4317",
                    _ => {
                        "it is no address such as http://localhost:4318, which begins with http:// or https://"
                    }
                };
                self.reader.refuse(&name, why);
                url(default)
            }
        };
        if protocol == Protocol::Grpc && endpoint.path() != "/" {
            let why = "gRPC has paths of its own, and this one is left out";
            self.reader.warn(&name, why);
        }
        let endpoint = self.with_path(&endpoint, protocol, of_all_signals);
        (endpoint, self.reader.shown(&name))
    }

    /// Over gRPC an address may have no scheme, and is a secure one then.
    fn with_scheme(&mut self, endpoint: &str, protocol: Protocol) -> String {
        let insecure = self.insecure();
        if endpoint.contains("://") || protocol != Protocol::Grpc {
            endpoint.to_owned()
        } else if insecure {
            format!("http://{endpoint}")
        } else {
            format!("https://{endpoint}")
        }
    }

    fn insecure(&mut self) -> bool {
        let mut names = self.names("INSECURE").into_iter();
        let set = names.find(|name| self.reader.text(name).is_some());
        set.is_some_and(|name| self.reader.boolean(&name))
    }

    /// Over HTTP the endpoint of all signals is a base, and a signal's own is used as it is.
    fn with_path(&self, endpoint: &Url, protocol: Protocol, of_all_signals: bool) -> Url {
        let mut endpoint = endpoint.clone();
        if protocol == Protocol::Grpc {
            endpoint.set_path("");
        } else if of_all_signals {
            let base = endpoint.path().trim_end_matches('/').to_owned();
            let signal = self.signal.to_ascii_lowercase();
            endpoint.set_path(&format!("{base}/v1/{signal}"));
        }
        endpoint
    }

    fn tls(&mut self, endpoint: &Url) -> Tls {
        let authorities = self.file("CERTIFICATE");
        let certificate = self.file("CLIENT_CERTIFICATE");
        let key = self.file("CLIENT_KEY");
        if endpoint.scheme() != "https" {
            for (name, _) in [&authorities, &certificate, &key].into_iter().flatten() {
                let host = endpoint.host_str().unwrap_or_default();
                let why =
                    format!("the endpoint at {host} does not begin with https, so it is unused");
                self.reader.warn(name, &why);
            }
            return Tls::default();
        }
        if let Some((name, authorities)) = &authorities {
            let certificates = reqwest::Certificate::from_pem_bundle(authorities);
            if certificates.map_or(true, |certificates| certificates.is_empty()) {
                self.reader
                    .refuse(name, "the file has no certificate in PEM format");
            }
        }
        Tls {
            authorities: authorities.map(|(_, authorities)| authorities),
            client: self.client(certificate, key),
        }
    }

    fn client(
        &mut self,
        certificate: Option<(String, Vec<u8>)>,
        key: Option<(String, Vec<u8>)>,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        match (certificate, key) {
            (Some((name, certificate)), Some((_, key))) => {
                let both = [certificate.as_slice(), b"\n", &key].concat();
                if reqwest::Identity::from_pem(&both).is_err() {
                    let why = "with the client's key it makes no certificate in PEM format";
                    self.reader.refuse(&name, why);
                }
                Some((certificate, key))
            }
            (Some((name, _)), None) => {
                self.reader.refuse(&name, "the client's key is missing");
                None
            }
            (None, Some((name, _))) => {
                self.reader
                    .refuse(&name, "the client's certificate is missing");
                None
            }
            (None, None) => None,
        }
    }

    /// The content of the file that a variable names.
    fn file(&mut self, what: &str) -> Option<(String, Vec<u8>)> {
        let (name, path) = self.first(what)?;
        match std::fs::read(path) {
            Ok(content) => Some((name, content)),
            Err(error) => {
                self.reader.refuse(&name, &error.to_string());
                None
            }
        }
    }
}

fn url(text: &str) -> Url {
    text.parse().expect("the defaults are URLs")
}

fn is_web(url: &Url) -> bool {
    ["http", "https"].contains(&url.scheme()) && url.host_str().is_some_and(|host| !host.is_empty())
}
