//! OTLP over gRPC: the three `Export` calls.

use std::sync::Arc;

use axum::Router;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
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
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::codec::CompressionEncoding::{Gzip, Zstd};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::metrics::data_points;
use crate::store::{Rejected, Store};

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
        let rejected = self.store.add_spans(request.into_inner().resource_spans);
        Ok(Response::new(trace_response(rejected)))
    }
}

#[tonic::async_trait]
impl LogsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let rejected = self.store.add_logs(request.into_inner().resource_logs);
        Ok(Response::new(logs_response(rejected)))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.store
            .count_data_points(data_points(&request.get_ref().resource_metrics));
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

/// The spec wants `partial_success` unset when everything was accepted.
pub(super) fn trace_response(rejected: Rejected) -> ExportTraceServiceResponse {
    let partial_success = (rejected.count > 0).then(|| ExportTracePartialSuccess {
        rejected_spans: rejected.count.cast_signed(),
        error_message: rejected.reason,
    });
    ExportTraceServiceResponse { partial_success }
}

/// As [`trace_response`].
pub(super) fn logs_response(rejected: Rejected) -> ExportLogsServiceResponse {
    let partial_success = (rejected.count > 0).then(|| ExportLogsPartialSuccess {
        rejected_log_records: rejected.count.cast_signed(),
        error_message: rejected.reason,
    });
    ExportLogsServiceResponse { partial_success }
}
