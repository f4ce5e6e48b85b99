//! Log lines: for people on a terminal, JSON for machines, with the trace id on each.

use std::fmt;
use std::io::IsTerminal;

use json_subscriber::fmt::Layer as JsonLayer;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{ChronoUtc, FormatTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

pub(crate) fn layer() -> Box<dyn Layer<Registry> + Send + Sync> {
    if std::io::stdout().is_terminal() {
        return tracing_subscriber::fmt::layer()
            .event_format(WithTraceId)
            .boxed();
    }
    // The span's attributes are in the trace; on a log line they would only repeat.
    let mut layer = JsonLayer::default()
        .with_current_span(false)
        .with_span_list(false)
        .flatten_event(true);
    let lines = layer.inner_layer_mut();
    lines.add_dynamic_field("trace_id", |_, _| crate::trace_id());
    layer.boxed()
}

/// `time LEVEL trace-id target: message fields`
struct WithTraceId;

impl<S, N> FormatEvent<S, N> for WithTraceId
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        ChronoUtc::new("%H:%M:%S%.3f ".to_owned()).format_time(&mut line)?;
        write_level(&mut line, *metadata.level())?;
        let trace_id = crate::trace_id().unwrap_or_else(|| "-".to_owned());
        write!(line, " {trace_id} {}: ", metadata.target())?;
        context.format_fields(line.by_ref(), event)?;
        writeln!(line)
    }
}

fn write_level(line: &mut Writer<'_>, level: Level) -> fmt::Result {
    if !line.has_ansi_escapes() {
        return write!(line, "{level:>5}");
    }
    let colour = match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        _ => 34,
    };
    write!(line, "\x1b[{colour}m{level:>5}\x1b[0m")
}
