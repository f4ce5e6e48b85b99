//! How the SDK's exporters reach a backend: TLS, headers, compression, and no proxy on the way to the own machine.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig, Identity};
use opentelemetry_otlp::{
    Compression, Protocol as SdkProtocol, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use reqwest::Url;
use reqwest::blocking::Client;

use crate::environment::{Otlp, Protocol, Tls};

impl Otlp {
    /// With no more time for an export than the batch processor gives it: the SDK's does not look at the clock.
    pub(crate) fn within(&self, timeout: Duration) -> Self {
        Self {
            timeout: self.timeout.min(timeout),
            ..self.clone()
        }
    }
}

pub(crate) fn over_grpc<B: WithExportConfig + WithTonicConfig>(builder: B, otlp: &Otlp) -> B {
    let mut builder = builder
        .with_endpoint(otlp.endpoint.as_str())
        .with_timeout(otlp.timeout)
        .with_metadata(MetadataMap::from_headers(otlp.headers.clone()));
    if otlp.gzip {
        builder = builder.with_compression(Compression::Gzip);
    }
    if otlp.endpoint.scheme() == "https" {
        builder = builder.with_tls_config(grpc_tls(&otlp.tls));
    }
    builder
}

fn grpc_tls(tls: &Tls) -> ClientTlsConfig {
    let config = match &tls.authorities {
        Some(authorities) => {
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authorities))
        }
        None => ClientTlsConfig::new().with_native_roots(),
    };
    match &tls.client {
        Some((certificate, key)) => config.identity(Identity::from_pem(certificate, key)),
        None => config,
    }
}

pub(crate) fn over_http<B: WithExportConfig + WithHttpConfig>(
    builder: B,
    otlp: &Otlp,
) -> anyhow::Result<B> {
    let protocol = match otlp.protocol {
        Protocol::HttpJson => SdkProtocol::HttpJson,
        _ => SdkProtocol::HttpBinary,
    };
    let headers = otlp
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let builder = builder
        .with_endpoint(otlp.endpoint.as_str())
        .with_protocol(protocol)
        .with_timeout(otlp.timeout)
        .with_headers(headers.collect::<HashMap<_, _>>())
        .with_http_client(http_client(otlp)?);
    Ok(if otlp.gzip {
        builder.with_compression(Compression::Gzip)
    } else {
        builder
    })
}

fn http_client(otlp: &Otlp) -> anyhow::Result<Client> {
    let otlp = otlp.clone();
    // A blocking client cannot be made on a thread of the runtime.
    let client = thread::spawn(move || blocking_client(&otlp)).join();
    client.map_err(|_| anyhow!("making the HTTP client panicked"))?
}

fn blocking_client(otlp: &Otlp) -> anyhow::Result<Client> {
    let mut client = Client::builder().timeout(otlp.timeout);
    if is_loopback(&otlp.endpoint) {
        client = client.no_proxy();
    }
    if let Some(authorities) = &otlp.tls.authorities {
        let authorities = reqwest::Certificate::from_pem_bundle(authorities)?;
        client = client.tls_certs_only(authorities);
    }
    if let Some((certificate, key)) = &otlp.tls.client {
        let both = [certificate.as_slice(), b"\n", key].concat();
        client = client.identity(reqwest::Identity::from_pem(&both)?);
    }
    client.build().context("making the HTTP client")
}

fn is_loopback(endpoint: &Url) -> bool {
    let host = endpoint.host_str().unwrap_or_default();
    let address = crate::http::bare_host(host).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
