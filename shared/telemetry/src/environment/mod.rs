//! The `OTEL_*` variables, read once: what is followed, and what is said about those that cannot be.
//!
//! The SDK reads some of them by itself, and where it cannot follow a value it says so before anybody listens.
//! So each is read here and handed over; docs/telemetry.md has a row for every one, and a test goes through them.
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>

mod limits;
mod names;
mod otlp;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::anyhow;
use opentelemetry_sdk::trace::Sampler;

pub(crate) use limits::{Batch, Limits, LogLimits};
pub(crate) use otlp::{Otlp, Protocol, Tls};
use reader::Reader;

/// What the conventions let into `http.request.method`, unless `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` says otherwise.
const KNOWN_METHODS: [&str; 10] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "QUERY",
];

/// The list of the conventions 1.42, and the two names that earlier ones had.
const SENSITIVE_QUERY_PARAMETERS: [&str; 7] = [
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "sig",
    "X-Goog-Signature",
    "AWSAccessKeyId",
    "Signature",
];

/// What all `OTEL_*` variables together ask for.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) disabled: bool,
    /// The least severe lines of the SDK's own that are shown, as a directive of `RUST_LOG`.
    pub(crate) sdk_log_level: &'static str,
    pub(crate) service_name: Option<String>,
    pub(crate) resource_attributes: Vec<(String, String)>,
    pub(crate) propagators: BTreeSet<&'static str>,
    pub(crate) sampler: Sampler,
    pub(crate) spans: Batch,
    pub(crate) log_records: Batch,
    pub(crate) limits: Limits,
    pub(crate) log_limits: LogLimits,
    /// Where spans go, or `None`.
    pub(crate) traces: Option<Otlp>,
    /// Where log records go, or `None`.
    pub(crate) logs: Option<Otlp>,
    pub(crate) known_methods: Vec<String>,
    pub(crate) sensitive_query_parameters: Vec<String>,
}

/// The settings of this process.
pub(crate) fn settings() -> &'static Settings {
    &PROCESS.settings
}

/// One line for each value that is not followed.
pub(crate) fn warnings() -> &'static [String] {
    &PROCESS.warnings
}

/// What cannot be followed and must not be ignored either: with another endpoint or without a certificate, spans would
/// go where nobody wants them.
pub(crate) fn refusal() -> anyhow::Result<()> {
    match &PROCESS.refusal {
        Some(refusal) => Err(anyhow!("{refusal}")),
        None => Ok(()),
    }
}

struct Read {
    settings: Settings,
    warnings: Vec<String>,
    refusal: Option<String>,
}

static PROCESS: LazyLock<Read> = LazyLock::new(|| read(&variables()));

/// The value of a variable; the specification says that empty means unset.
#[expect(
    clippy::disallowed_methods,
    reason = "OTEL_* belongs to OpenTelemetry's specification, not to a service's settings"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?;
    let value = value.to_string_lossy().trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// All `OTEL_*` variables that have a value.
fn variables() -> Vec<(String, String)> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names
        .filter(|name| name.starts_with("OTEL_"))
        .filter_map(|name| Some((variable(&name)?, name)))
        .map(|(value, name)| (name, value))
        .collect()
}

/// `OTEL_SDK_DISABLED`: the SDK is a no-op for all signals.
pub(crate) fn sdk_disabled() -> bool {
    settings().disabled
}

/// The propagators that `OTEL_PROPAGATORS` lists.
pub(crate) fn propagators() -> &'static BTreeSet<&'static str> {
    &settings().propagators
}

fn read(variables: &[(String, String)]) -> Read {
    let mut reader = Reader::new(variables);
    names::say_unknown(&mut reader);
    let settings = Settings {
        disabled: reader.boolean("OTEL_SDK_DISABLED"),
        sdk_log_level: sdk_log_level(&mut reader),
        service_name: reader.text("OTEL_SERVICE_NAME"),
        resource_attributes: reader.pairs("OTEL_RESOURCE_ATTRIBUTES", "it is ignored"),
        propagators: propagators_of(&mut reader),
        sampler: sampler(&mut reader),
        spans: limits::batch(&mut reader, "BSP", Duration::from_secs(5)),
        log_records: limits::batch(&mut reader, "BLRP", Duration::from_secs(1)),
        limits: limits::of_spans(&mut reader),
        log_limits: limits::of_log_records(&mut reader),
        traces: otlp::exporter(&mut reader, "TRACES"),
        logs: otlp::exporter(&mut reader, "LOGS"),
        known_methods: reader.list(
            "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS",
            KNOWN_METHODS.as_slice(),
        ),
        sensitive_query_parameters: reader.list(
            "OTEL_INSTRUMENTATION_SANITIZATION_URL_EXPERIMENTAL_SENSITIVE_QUERY_PARAMETERS",
            SENSITIVE_QUERY_PARAMETERS.as_slice(),
        ),
    };
    Read {
        settings,
        warnings: reader.warnings,
        refusal: reader.refusal,
    }
}

/// The SDK says little that is not said here in a better way, so that it has to be asked for.
fn sdk_log_level(reader: &mut Reader<'_>) -> &'static str {
    let levels = [
        ("none", "off"),
        ("error", "error"),
        ("warn", "warn"),
        ("info", "info"),
        ("debug", "debug"),
        ("trace", "trace"),
    ];
    reader.choice("OTEL_LOG_LEVEL", &levels).unwrap_or("error")
}

fn propagators_of(reader: &mut Reader<'_>) -> BTreeSet<&'static str> {
    const NAME: &str = "OTEL_PROPAGATORS";
    let default = BTreeSet::from(["tracecontext", "baggage"]);
    let Some(listed) = reader.text(NAME) else {
        return default;
    };
    let (known, unknown): (Vec<_>, Vec<_>) = listed
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .partition(|name| ["tracecontext", "baggage", "none"].contains(&name.as_str()));
    for unknown in unknown {
        reader.warn(
            NAME,
            &format!("{unknown:?} is left out: tracecontext, baggage and none are known"),
        );
    }
    if known.is_empty() {
        return default;
    }
    let mut chosen = default;
    chosen.retain(|name| known.iter().any(|known| known == name));
    chosen
}

fn sampler(reader: &mut Reader<'_>) -> Sampler {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    let known = [
        ("always_on", (false, Some(Sampler::AlwaysOn))),
        ("always_off", (false, Some(Sampler::AlwaysOff))),
        ("traceidratio", (false, None)),
        ("parentbased_always_on", (true, Some(Sampler::AlwaysOn))),
        ("parentbased_always_off", (true, Some(Sampler::AlwaysOff))),
        ("parentbased_traceidratio", (true, None)),
    ];
    let chosen = reader.choice(NAME, &known);
    let (parent_based, fixed) = chosen.unwrap_or((true, Some(Sampler::AlwaysOn)));
    if fixed.is_some() {
        reader.warn_if_set(
            "OTEL_TRACES_SAMPLER_ARG",
            "the sampler that OTEL_TRACES_SAMPLER chooses has no argument",
        );
    }
    let root = fixed.unwrap_or_else(|| Sampler::TraceIdRatioBased(ratio(reader)));
    if parent_based {
        return Sampler::ParentBased(Box::new(root));
    }
    root
}

/// The share of the traces to keep; all of them, where none is given.
fn ratio(reader: &mut Reader<'_>) -> f64 {
    const NAME: &str = "OTEL_TRACES_SAMPLER_ARG";
    let Some(value) = reader.text(NAME) else {
        return 1.0;
    };
    match value.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
        _ => {
            reader.warn(NAME, "it is no number from 0 to 1; every trace is sampled");
            1.0
        }
    }
}
