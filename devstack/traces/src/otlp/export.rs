//! What becomes of an export, through whichever door it came.

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;

use crate::store::Store;

/// The spec wants `partial_success` unset when everything was accepted.
pub(super) fn traces(
    store: &Store,
    request: ExportTraceServiceRequest,
) -> ExportTraceServiceResponse {
    let rejected = store.add_spans(request.resource_spans);
    let partial_success = (rejected.count > 0).then(|| ExportTracePartialSuccess {
        rejected_spans: rejected.count.cast_signed(),
        error_message: rejected.reason,
    });
    ExportTraceServiceResponse { partial_success }
}

/// As [`traces`].
pub(super) fn logs(store: &Store, request: ExportLogsServiceRequest) -> ExportLogsServiceResponse {
    let rejected = store.add_logs(request.resource_logs);
    let partial_success = (rejected.count > 0).then(|| ExportLogsPartialSuccess {
        rejected_log_records: rejected.count.cast_signed(),
        error_message: rejected.reason,
    });
    ExportLogsServiceResponse { partial_success }
}

/// Metrics have no reader here: their data points are counted, which is all that happens to them.
pub(super) fn metrics(
    store: &Store,
    request: &ExportMetricsServiceRequest,
) -> ExportMetricsServiceResponse {
    let resources = request.resource_metrics.iter();
    let scopes = resources.flat_map(|resource| &resource.scope_metrics);
    let metrics = scopes.flat_map(|scope| &scope.metrics);
    let data = metrics.filter_map(|metric| metric.data.as_ref());
    let points = data.map(|data| match data {
        Data::Gauge(gauge) => gauge.data_points.len(),
        Data::Sum(sum) => sum.data_points.len(),
        Data::Histogram(histogram) => histogram.data_points.len(),
        Data::ExponentialHistogram(histogram) => histogram.data_points.len(),
        Data::Summary(summary) => summary.data_points.len(),
    });
    store.count_data_points(points.sum::<usize>() as u64);
    ExportMetricsServiceResponse::default()
}
