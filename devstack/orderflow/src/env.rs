//! `orderflow env`: the settings of what is running now, as lines.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::control::Run;
use crate::service::Service;

/// Without the name of a service, those of all.
pub(crate) fn run(dir: &Path, service: Option<&str>) -> anyhow::Result<ExitCode> {
    let folder = dir.display();
    let ready = Run::ready(dir)?;
    let (_, addresses) = ready
        .with_context(|| format!("nothing is ready in {folder}: start it with `orderflow up`"))?;
    let settings = match service.and_then(Service::find) {
        Some(service) => addresses.of_service(service),
        None => addresses.shared(),
    };
    let mut out = std::io::stdout().lock();
    for setting in settings {
        writeln!(out, "{setting}")?;
    }
    Ok(ExitCode::SUCCESS)
}
