//! A receiver of OTLP over both protocols, with TLS or without.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::routing::post;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataValue;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// An authority, and what it signed for a server and for a client.
pub(crate) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        for name in ["server", "client"] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &authority).unwrap();
            std::fs::write(folder.path().join(format!("{name}.pem")), certificate.pem()).unwrap();
            let key = key.serialize_pem();
            std::fs::write(folder.path().join(format!("{name}.key")), key).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(crate) fn client(&self) -> PathBuf {
        self.folder.path().join("client.pem")
    }

    pub(crate) fn client_key(&self) -> PathBuf {
        self.folder.path().join("client.key")
    }

    /// A server that asks for a client's certificate.
    fn acceptor(&self) -> TlsAcceptor {
        let certificate =
            |name| CertificateDer::from_pem_file(self.folder.path().join(name)).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate("ca.pem")).unwrap();
        let clients = WebPkiClientVerifier::builder(Arc::new(roots))
            .build()
            .unwrap();
        let key = PrivateKeyDer::from_pem_file(self.folder.path().join("server.key")).unwrap();
        let mut config = ServerConfig::builder()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate("server.pem")], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

/// What arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Got {
    pub(crate) traces: usize,
    pub(crate) logs: usize,
    pub(crate) api_key: Option<String>,
    pub(crate) compressed: bool,
}

impl Got {
    fn note(&mut self, api_key: Option<&[u8]>, compressed: bool) {
        self.api_key = api_key.map(|key| String::from_utf8_lossy(key).into_owned());
        self.compressed = compressed;
    }
}

#[derive(Clone, Default)]
struct Receiver {
    got: Arc<Mutex<Got>>,
    rejects: Arc<AtomicI64>,
    takes_no_logs: Arc<AtomicBool>,
}

pub(crate) struct Backend {
    receiver: Receiver,
    address: SocketAddr,
}

impl Backend {
    pub(crate) async fn start(certificates: Option<&Certificates>) -> Self {
        let receiver = Receiver::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = certificates.map(Certificates::acceptor);
        #[expect(
            clippy::disallowed_methods,
            reason = "the server lives as long as the test"
        )]
        tokio::spawn(serve(listener, receiver.router(), tls));
        Self { receiver, address }
    }

    pub(crate) fn endpoint(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}", self.address.port())
    }

    pub(crate) fn got(&self) -> Got {
        self.receiver.got.lock().unwrap().clone()
    }

    pub(crate) fn rejects(&self, spans: i64) {
        self.receiver.rejects.store(spans, Relaxed);
    }

    pub(crate) fn takes_no_logs(&self) {
        self.receiver.takes_no_logs.store(true, Relaxed);
    }
}

async fn serve(listener: TcpListener, router: Router, tls: Option<TlsAcceptor>) {
    while let Ok((stream, _)) = listener.accept().await {
        let service = TowerToHyperService::new(router.clone());
        let tls = tls.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "the connection lives as long as the test"
        )]
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            let _ended = match tls {
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => {
                        builder
                            .serve_connection(TokioIo::new(stream), service)
                            .await
                    }
                    Err(_) => return,
                },
                None => {
                    builder
                        .serve_connection(TokioIo::new(stream), service)
                        .await
                }
            };
        });
    }
}

impl Receiver {
    fn router(&self) -> Router {
        let traces =
            TraceServiceServer::new(self.clone()).accept_compressed(CompressionEncoding::Gzip);
        let logs =
            LogsServiceServer::new(self.clone()).accept_compressed(CompressionEncoding::Gzip);
        let http = Router::new()
            .route("/v1/traces", post(traces_over_http))
            .route("/v1/logs", post(logs_over_http))
            .with_state(self.clone());
        Routes::new(traces)
            .add_service(logs)
            .into_axum_router()
            .merge(http)
    }

    fn note_grpc<T>(&self, request: &Request<T>) {
        let metadata = request.metadata();
        let api_key = metadata.get("api-key").map(MetadataValue::as_bytes);
        let compressed = metadata.get("grpc-encoding").is_some();
        self.got.lock().unwrap().note(api_key, compressed);
    }

    fn note_http(&self, headers: &HeaderMap) {
        let api_key = headers.get("api-key").map(HeaderValue::as_bytes);
        let compressed = headers.contains_key(header::CONTENT_ENCODING);
        self.got.lock().unwrap().note(api_key, compressed);
    }
}

async fn traces_over_http(State(receiver): State<Receiver>, headers: HeaderMap) -> StatusCode {
    receiver.note_http(&headers);
    receiver.got.lock().unwrap().traces += 1;
    StatusCode::OK
}

async fn logs_over_http(State(receiver): State<Receiver>, headers: HeaderMap) -> StatusCode {
    receiver.note_http(&headers);
    receiver.got.lock().unwrap().logs += 1;
    StatusCode::OK
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.note_grpc(&request);
        self.got.lock().unwrap().traces += 1;
        let rejected_spans = self.rejects.swap(0, Relaxed);
        Ok(Response::new(ExportTraceServiceResponse {
            partial_success: (rejected_spans > 0).then(|| ExportTracePartialSuccess {
                rejected_spans,
                error_message: "too many".to_owned(),
            }),
        }))
    }
}

#[tonic::async_trait]
impl LogsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.note_grpc(&request);
        if self.takes_no_logs.load(Relaxed) {
            return Err(Status::unimplemented("no logs here"));
        }
        self.got.lock().unwrap().logs += 1;
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}
