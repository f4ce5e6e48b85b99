//! The `OTEL_*` variables that the Rust SDK does not read by itself.

use std::collections::BTreeSet;

use anyhow::bail;

/// The value of an `OTEL_*` variable; the specification says that empty means unset.
#[expect(
    clippy::disallowed_methods,
    reason = "OTEL_* belongs to OpenTelemetry's specification, not to a service's settings"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

/// `OTEL_SDK_DISABLED`: the SDK is a no-op for all signals.
pub(crate) fn sdk_disabled() -> bool {
    variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Whether the exporter that `name` selects is `otlp`, the default, or `none`.
pub(crate) fn exports_otlp(name: &str) -> anyhow::Result<bool> {
    match variable(name).as_deref() {
        None | Some("otlp") => Ok(true),
        Some("none") => Ok(false),
        Some(other) => bail!("{name}={other}: this build knows the exporters otlp and none"),
    }
}

/// The propagators that `OTEL_PROPAGATORS` lists.
pub(crate) fn propagators() -> anyhow::Result<BTreeSet<String>> {
    let listed = variable("OTEL_PROPAGATORS").unwrap_or_else(|| "tracecontext,baggage".to_owned());
    let mut names: BTreeSet<String> = listed.split(',').map(|s| s.trim().to_owned()).collect();
    names.remove("none");
    if let Some(other) = names
        .iter()
        .find(|name| !["tracecontext", "baggage"].contains(&name.as_str()))
    {
        bail!("OTEL_PROPAGATORS names {other:?}: this build knows tracecontext, baggage and none");
    }
    Ok(names)
}
