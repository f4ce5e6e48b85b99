//! OTLP over gRPC: the three `Export` calls.

use std::sync::Arc;

use axum::Router;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::codec::CompressionEncoding::{Gzip, Zstd};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::export;
use crate::store::Store;

#[derive(Debug, Clone)]
struct Receiver {
    store: Arc<Store>,
}

/// The three services as one router, for a server that speaks HTTP/2. `max_request_bytes` holds after decompression.
pub(crate) fn router(store: Arc<Store>, max_request_bytes: usize) -> Router {
    let receiver = Receiver { store };
    let traces = TraceServiceServer::new(receiver.clone())
        .accept_compressed(Gzip)
        .accept_compressed(Zstd)
        .max_decoding_message_size(max_request_bytes);
    let logs = LogsServiceServer::new(receiver.clone())
        .accept_compressed(Gzip)
        .accept_compressed(Zstd)
        .max_decoding_message_size(max_request_bytes);
    let metrics = MetricsServiceServer::new(receiver)
        .accept_compressed(Gzip)
        .accept_compressed(Zstd)
        .max_decoding_message_size(max_request_bytes);
    Routes::new(traces)
        .add_service(logs)
        .add_service(metrics)
        .into_axum_router()
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let request = request.into_inner();
        Ok(Response::new(export::traces(&self.store, request)))
    }
}

#[tonic::async_trait]
impl LogsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let request = request.into_inner();
        Ok(Response::new(export::logs(&self.store, request)))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let request = request.get_ref();
        Ok(Response::new(export::metrics(&self.store, request)))
    }
}
