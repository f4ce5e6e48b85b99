//! Which stack `traffic` and `trace` talk to.

use std::path::Path;

use clap::Args;

use crate::rundir::Run;
use crate::settings::Addresses;

/// Addresses from the command line or the environment; by default those of the stack that runs in `--dir`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Addresses")]
pub(crate) struct Targets {
    /// The public HTTP API [default: the running stack's, else port 8080 on 127.0.0.1].
    #[arg(long = "gateway-url", env = "GATEWAY_URL", value_name = "URL")]
    gateway: Option<String>,
    /// The trace store's query API [default: the running stack's, else port 16686 on 127.0.0.1].
    #[arg(long = "jaeger-url", env = "JAEGER_URL", value_name = "URL")]
    jaeger: Option<String>,
    /// The mail sink's API [default: the running stack's, else port 8025 on 127.0.0.1].
    #[arg(long = "mail-url", env = "MAIL_URL", value_name = "URL")]
    mail: Option<String>,
}

/// The addresses to use, without a final slash.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    pub(crate) gateway: String,
    pub(crate) jaeger: String,
    pub(crate) mail: String,
}

impl Targets {
    pub(crate) fn resolve(self, dir: &Path) -> anyhow::Result<Urls> {
        let running = Run::ready(dir)?.map(|(_, addresses)| addresses);
        let choose =
            |given: Option<String>, of_running: fn(&Addresses) -> String, default: &str| {
                let url = given.or_else(|| running.as_ref().map(of_running));
                url.as_deref()
                    .unwrap_or(default)
                    .trim_end_matches('/')
                    .to_owned()
            };
        Ok(Urls {
            gateway: choose(
                self.gateway,
                Addresses::gateway_url,
                "http://127.0.0.1:8080",
            ),
            jaeger: choose(self.jaeger, Addresses::jaeger_url, "http://127.0.0.1:16686"),
            mail: choose(self.mail, Addresses::mail_url, "http://127.0.0.1:8025"),
        })
    }
}
