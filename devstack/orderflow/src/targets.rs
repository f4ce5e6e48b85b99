//! Which stack `traffic` and `trace` talk to.

use std::path::Path;

use clap::Args;

use crate::control::Run;
use crate::settings::{Addresses, known};
use crate::table::usual;

/// Addresses from the command line or the environment; by default those of the stack that runs in `--dir`, and without
/// one those that containers have, which are moved by the same variables.
#[derive(Debug, Args)]
#[command(next_help_heading = "Addresses")]
pub(crate) struct Targets {
    /// The public HTTP API [default: the running stack's, else port `GATEWAY_PORT` or 8080 on 127.0.0.1].
    #[arg(long = "gateway-url", env = "GATEWAY_URL", value_name = "URL")]
    gateway: Option<String>,
    /// The trace store's query API [default: the running stack's, else port `TRACES_PORT` or 16686 on 127.0.0.1].
    #[arg(long = "jaeger-url", env = "JAEGER_URL", value_name = "URL")]
    jaeger: Option<String>,
    /// The mail server's API [default: the running stack's, else port `MAIL_PORT` or 8025 on 127.0.0.1].
    #[arg(long = "mail-url", env = "MAIL_URL", value_name = "URL")]
    mail: Option<String>,
    #[arg(long, env = "GATEWAY_PORT", default_value = usual("GATEWAY_PORT"), hide = true)]
    gateway_port: u16,
    #[arg(long, env = "TRACES_PORT", default_value = usual("TRACES_PORT"), hide = true)]
    traces_port: u16,
    #[arg(long, env = "MAIL_PORT", default_value = usual("MAIL_PORT"), hide = true)]
    mail_port: u16,
}

/// The addresses to use, without a final slash.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    pub(crate) gateway: String,
    pub(crate) jaeger: String,
    pub(crate) mail: String,
    /// Why the gateway is this one, for people who have several stacks.
    pub(crate) why: String,
}

impl Targets {
    pub(crate) fn resolve(self, dir: &Path) -> anyhow::Result<Urls> {
        let running = Run::ready(dir)?.map(|(_, addresses)| addresses);
        Ok(self.choose(dir, running.as_ref()))
    }

    fn choose(self, dir: &Path, running: Option<&Addresses>) -> Urls {
        let choose = |given, name, port: u16| {
            let url = known(given, running, name, format!("http://127.0.0.1:{port}"));
            url.trim_end_matches('/').to_owned()
        };
        let dir = dir.display();
        let why = match (&self.gateway, running) {
            (Some(_), _) => "the gateway that was named".to_owned(),
            (None, Some(_)) => format!("the gateway of the stack in {dir}"),
            (None, None) => format!("since no stack is ready in {dir}"),
        };
        Urls {
            gateway: choose(self.gateway, "GATEWAY_URL", self.gateway_port),
            jaeger: choose(self.jaeger, "JAEGER_URL", self.traces_port),
            mail: choose(self.mail, "MAIL_URL", self.mail_port),
            why,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::flags::tests::embedded;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        targets: Targets,
    }

    fn choose(arguments: &[&str], running: Option<&Addresses>) -> Urls {
        let arguments = Arguments::parse_from([&["orderflow"], arguments].concat());
        arguments.targets.choose(Path::new("here"), running)
    }

    #[test]
    fn without_a_running_stack_the_ports_of_the_containers_count() {
        let urls = choose(&["--gateway-port=9080", "--traces-port=9686"], None);
        assert_eq!(urls.gateway, "http://127.0.0.1:9080");
        assert_eq!(urls.jaeger, "http://127.0.0.1:9686");
        assert_eq!(urls.mail, "http://127.0.0.1:8025");
        assert_eq!(urls.why, "since no stack is ready in here");
    }

    #[test]
    fn a_running_stack_is_asked_where_it_is_and_named_as_the_reason() {
        let running = embedded(&[]);
        let urls = choose(&["--gateway-port=9080"], Some(&running));
        assert_eq!(urls.gateway, "http://127.0.0.1:8080");
        assert_eq!(urls.why, "the gateway of the stack in here");

        let urls = choose(&["--gateway-url=http://shop:1/"], Some(&running));
        assert_eq!(urls.gateway, "http://shop:1");
        assert_eq!(urls.why, "the gateway that was named");
    }
}
