//! `orderflow env`: the settings of what is running now, as lines.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;

use crate::control::Run;
use crate::service::Service;

pub(crate) fn run(dir: &Path, service: Option<Service>) -> anyhow::Result<ExitCode> {
    let Some((_, addresses)) = Run::ready(dir)? else {
        bail!(
            "nothing is ready in {}: start it with `orderflow up`",
            dir.display()
        );
    };
    let settings = service.map_or_else(
        || addresses.shared(),
        |service| addresses.of_service(service),
    );
    let mut out = std::io::stdout().lock();
    for setting in settings {
        writeln!(out, "{setting}")?;
    }
    Ok(ExitCode::SUCCESS)
}
