//! Counting data points, which is all that happens to metrics here.

use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, metric::Data};

pub(crate) fn data_points(batch: &[ResourceMetrics]) -> u64 {
    let scopes = batch.iter().flat_map(|resource| &resource.scope_metrics);
    let metrics = scopes.flat_map(|scope| &scope.metrics);
    let points = |data: &Data| match data {
        Data::Gauge(gauge) => gauge.data_points.len(),
        Data::Sum(sum) => sum.data_points.len(),
        Data::Histogram(histogram) => histogram.data_points.len(),
        Data::ExponentialHistogram(histogram) => histogram.data_points.len(),
        Data::Summary(summary) => summary.data_points.len(),
    };
    metrics
        .filter_map(|metric| metric.data.as_ref())
        .map(points)
        .sum::<usize>() as u64
}
