//! Spans on their way out: bounded, queued, sent in requests that a receiver takes, and counted if they do not arrive.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

use crate::environment::Batch;
use crate::limits::shorten_span;
use crate::losses::{Cause, Losses, rejections};
use crate::size::{self, MOST_AT_ONCE};

impl Losses {
    /// Exports spans in batches, with values no longer than `value_length` characters, and counts those that are lost.
    pub(crate) fn count_spans<E: SpanExporter + 'static>(
        &self,
        exporter: E,
        batch: &Batch,
        value_length: usize,
    ) -> impl SpanProcessor + use<E> {
        let exporter = CountingExporter {
            exporter,
            losses: self.clone(),
        };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(batch.queued)
            .with_max_export_batch_size(batch.at_once)
            .with_scheduled_delay(batch.delay);
        CountingProcessor {
            processor: BatchSpanProcessor::builder(exporter)
                .with_batch_config(config.build())
                .build(),
            room: batch.queued,
            value_length,
            losses: self.clone(),
        }
    }
}

#[derive(Debug)]
struct CountingProcessor {
    processor: BatchSpanProcessor,
    /// The SDK's queue has this size too; it is asked first here, so that the SDK drops nothing that is not counted.
    room: usize,
    value_length: usize,
    losses: Losses,
}

impl SpanProcessor for CountingProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        // What is not sampled is not exported, and so not lost.
        if span.span_context.is_sampled() && self.losses.waits(self.room) {
            shorten_span(&mut span, self.value_length);
            self.processor.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
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

impl<E: SpanExporter> SpanExporter for CountingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let waiting = &self.losses.0.waiting;
        let batch = size::parts(batch, MOST_AT_ONCE, size::of_span);
        self.losses.lose(batch.too_large as u64, Cause::TooLarge);
        waiting.fetch_sub(batch.too_large, Relaxed);
        let mut all = Ok(());
        for part in batch.parts {
            let count = part.len();
            let result = self.exporter.export(part).await;
            self.losses.lose(rejections::take(), Cause::Rejected);
            self.losses.exported(count, &result);
            waiting.fetch_sub(count, Relaxed);
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

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
