//! Where the system under test is.

use std::collections::HashMap;

use anyhow::{Context, bail};

const NAMES: [&str; 3] = ["GATEWAY_URL", "JAEGER_URL", "MAIL_URL"];

/// The three places a customer and a reader of traces look at.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) gateway: String,
    pub(crate) jaeger: String,
    pub(crate) mail: String,
}

impl Addresses {
    /// All three, or `None` when none of them is set; some of them would test two systems at once.
    pub(crate) fn from_environment() -> anyhow::Result<Option<Self>> {
        let set = NAMES
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), variable(name)?)));
        let set: HashMap<String, String> = set.collect();
        match set.len() {
            0 => Ok(None),
            3 => Self::from_settings(&set).map(Some),
            _ => bail!("set all of {}, or none of them", NAMES.join(", ")),
        }
    }

    /// Reads what `orderflow env` prints: lines of `NAME=value`, perhaps exported, perhaps quoted.
    pub(crate) fn from_lines(lines: &str) -> anyhow::Result<Self> {
        let settings = lines
            .lines()
            .filter_map(|line| line.trim_start_matches("export ").split_once('='));
        let unquote = |value: &str| value.trim_matches(['\'', '"']).to_owned();
        let settings = settings.map(|(name, value)| (name.to_owned(), unquote(value)));
        Self::from_settings(&settings.collect())
    }

    fn from_settings(settings: &HashMap<String, String>) -> anyhow::Result<Self> {
        let url = |name: &str| {
            let url = settings
                .get(name)
                .with_context(|| format!("{name} is not set"))?;
            anyhow::Ok(url.trim_end_matches('/').to_owned())
        };
        let [gateway, jaeger, mail] = NAMES;
        Ok(Self {
            gateway: url(gateway)?,
            jaeger: url(jaeger)?,
            mail: url(mail)?,
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test harness has no command line of its own to take settings from"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
