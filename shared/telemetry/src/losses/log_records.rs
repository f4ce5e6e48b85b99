//! Log records on their way out, as the spans.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::logs::Severity;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter, LogProcessor, SdkLogRecord,
};

use crate::environment::{Batch, LogLimits};
use crate::limits::LogRecords;
use crate::losses::{Cause, Losses, rejections};
use crate::size::{self, MOST_AT_ONCE};

impl Losses {
    /// Exports log records in batches, within their limits, and counts those that are lost.
    pub(crate) fn count_log_records<E: LogExporter + 'static>(
        &self,
        exporter: E,
        batch: &Batch,
        limits: LogLimits,
    ) -> impl LogProcessor + use<E> {
        let exporter = CountingExporter {
            exporter,
            losses: self.clone(),
        };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(batch.queued)
            .with_max_export_batch_size(batch.at_once)
            .with_scheduled_delay(batch.delay);
        CountingProcessor {
            processor: BatchLogProcessor::builder(exporter)
                .with_batch_config(config.build())
                .build(),
            room: batch.queued,
            records: LogRecords::new(limits),
            losses: self.clone(),
        }
    }
}

#[derive(Debug)]
struct CountingProcessor {
    processor: BatchLogProcessor,
    room: usize,
    records: LogRecords,
    losses: Losses,
}

impl LogProcessor for CountingProcessor {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if self.losses.waits(self.room) {
            self.records.shorten(record);
            self.processor.emit(record, scope);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let stopped = self.processor.shutdown_with_timeout(timeout);
        // On the console alone, since nothing is exported any more.
        self.losses.say_total();
        stopped
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.processor.event_enabled(level, target, name)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}

#[derive(Debug)]
struct CountingExporter<E> {
    exporter: E,
    losses: Losses,
}

impl<E: LogExporter> LogExporter for CountingExporter<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let waiting = &self.losses.0.waiting;
        let batch = size::parts(batch.iter(), MOST_AT_ONCE, |(record, _)| {
            size::of_record(record)
        });
        self.losses.lose(batch.too_large as u64, Cause::TooLarge);
        waiting.fetch_sub(batch.too_large, Relaxed);
        let mut all = Ok(());
        for part in &batch.parts {
            let result = self.exporter.export(LogBatch::new(part)).await;
            self.losses.lose(rejections::take(), Cause::Rejected);
            self.losses.exported(part.len(), &result);
            waiting.fetch_sub(part.len(), Relaxed);
            all = all.and(result);
        }
        all
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.exporter.event_enabled(level, target, name)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
