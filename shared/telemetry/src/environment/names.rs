//! The variables that are not followed, and those that nobody knows.

use super::reader::Reader;

/// What a variable asks for that is not to be had here.
const NOT_HERE: [(&str, &str); 6] = [
    ("OTEL_EXPORTER_ZIPKIN_", "spans are exported over OTLP only"),
    (
        "OTEL_EXPORTER_PROMETHEUS_",
        "there is no Prometheus exporter",
    ),
    ("OTEL_METRIC_EXPORT_", "there are no metrics yet"),
    ("OTEL_METRICS_EXEMPLAR_FILTER", "there are no metrics yet"),
    ("OTEL_EXPORTER_OTLP_METRICS_", "there are no metrics yet"),
    (
        "OTEL_EXPORTER_OTLP_METRIC_INSECURE",
        "there are no metrics yet",
    ),
];

const CONFIG_FILES: [&str; 2] = ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"];

/// The names that are followed; `*` stands for a signal or nothing.
const FOLLOWED: [&str; 40] = [
    "OTEL_SDK_DISABLED",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SERVICE_NAME",
    "OTEL_LOG_LEVEL",
    "OTEL_PROPAGATORS",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_EXPORT_TIMEOUT",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BLRP_SCHEDULE_DELAY",
    "OTEL_BLRP_EXPORT_TIMEOUT",
    "OTEL_BLRP_MAX_QUEUE_SIZE",
    "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_TRACES_EXPORTER",
    "OTEL_METRICS_EXPORTER",
    "OTEL_LOGS_EXPORTER",
    "OTEL_EXPORTER_OTLP_*ENDPOINT",
    "OTEL_EXPORTER_OTLP_*INSECURE",
    "OTEL_EXPORTER_OTLP_*CERTIFICATE",
    "OTEL_EXPORTER_OTLP_*CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_*CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_*HEADERS",
    "OTEL_EXPORTER_OTLP_*COMPRESSION",
    "OTEL_EXPORTER_OTLP_*TIMEOUT",
    "OTEL_EXPORTER_OTLP_*PROTOCOL",
    "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS",
    "OTEL_INSTRUMENTATION_SANITIZATION_URL_EXPERIMENTAL_SENSITIVE_QUERY_PARAMETERS",
    "OTEL_SEMCONV_STABILITY_OPT_IN",
];

/// What the SDKs of other languages and instrumentations call their own; a shell may well have them.
const OF_OTHERS: [&str; 19] = [
    "COLLECTOR",
    "CPP",
    "CTL",
    "DOTNET",
    "ELIXIR",
    "ERLANG",
    "GO",
    "INSTRUMENTATION",
    "JAVA",
    "JAVAAGENT",
    "JS",
    "LAMBDA",
    "NODE",
    "OPERATOR",
    "PHP",
    "PYTHON",
    "RUBY",
    "RUST",
    "SWIFT",
];

/// Says which variables are not followed whatever their value is.
pub(super) fn say_unknown(reader: &mut Reader<'_>) {
    let names: Vec<_> = reader.names().collect();
    for name in names {
        if CONFIG_FILES.contains(&name) {
            reader.warn(name, "no file is read; the other OTEL_* variables hold");
        } else if let Some((_, why)) = NOT_HERE.iter().find(|(begin, _)| name.starts_with(begin)) {
            reader.warn(name, &format!("it is ignored: {why}"));
        } else if name == "OTEL_EXPORTER_OTLP_SPAN_INSECURE" {
            reader.warn(
                name,
                "it is obsolete and ignored; OTEL_EXPORTER_OTLP_TRACES_INSECURE is its name",
            );
        } else if !is_followed(name) && !is_of_others(name) {
            reader.warn(name, "nobody knows this variable; a slip of the pen?");
        }
    }
    say_which_metrics(reader);
}

/// Metrics over OTLP are what one gets without a word, and none is what there is.
fn say_which_metrics(reader: &mut Reader<'_>) {
    let known = [("otlp", ()), ("none", ())];
    reader.choice("OTEL_METRICS_EXPORTER", &known);
}

fn is_followed(name: &str) -> bool {
    FOLLOWED
        .iter()
        .any(|followed| match followed.split_once('*') {
            Some((begin, end)) => ["", "TRACES_", "LOGS_"]
                .iter()
                .any(|signal| name == format!("{begin}{signal}{end}")),
            None => name == *followed,
        })
}

fn is_of_others(name: &str) -> bool {
    let rest = name.strip_prefix("OTEL_").unwrap_or(name);
    let language = rest.split('_').next().unwrap_or_default();
    OF_OTHERS.contains(&language)
}
