//! What the tests that run ask for.

use std::path::Path;

use anyhow::bail;

/// Where the servers come from that the services talk to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Servers {
    /// The stand-ins.
    #[default]
    Embedded,
    /// The real servers as processes; the first run fetches and builds them.
    Native,
    /// The real servers of `docker-compose.yml`, in containers.
    Containers,
}

impl Servers {
    /// What the variable `STACK` asks for, one switch for all suites: `embedded` (the default), `native` or `containers`.
    pub fn of_this_run() -> anyhow::Result<Self> {
        match variable("STACK").as_deref() {
            None | Some("embedded") => Ok(Self::Embedded),
            Some("native") => Ok(Self::Native),
            Some("containers") => Ok(Self::Containers),
            Some(other) => bail!("STACK is embedded, native or containers, not {other}"),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Native => "native",
            Self::Containers => "outside",
        }
    }
}

/// What is to be started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    pub servers: Servers,
    /// Whether the five services are started too.
    pub services: bool,
    /// The command, where it is not the one of this build.
    pub program: Option<&'a Path>,
    /// Variables that the command and its services get, on top of what they inherit.
    pub settings: &'a [(&'a str, &'a str)],
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line of their own to take settings from"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
