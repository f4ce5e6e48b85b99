//! Where the system under test is.

use anyhow::bail;
use stack::Stack;

const NAMES: [&str; 3] = ["GATEWAY_URL", "JAEGER_URL", "MAIL_URL"];

/// What only those reach who run the system: the test of what needs it is skipped where it is not named.
const ORDERS: &str = "ORDERS_URL";

/// A store of logs that is not the trace store.
const LOGS: &str = "LOGS_URL";

/// The three places a customer and a reader of traces look at, and the service that a person decides by.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) gateway: String,
    pub(crate) jaeger: String,
    pub(crate) mail: String,
    pub(crate) orders: Option<String>,
    pub(crate) logs: Option<String>,
}

impl Addresses {
    /// All three, or `None` when none of them is set; some of them would test two systems at once.
    pub(crate) fn from_environment() -> anyhow::Result<Option<Self>> {
        match NAMES.map(variable) {
            [None, None, None] => Ok(None),
            [Some(gateway), Some(jaeger), Some(mail)] => Ok(Some(Self {
                gateway,
                jaeger,
                mail,
                orders: variable(ORDERS),
                logs: variable(LOGS),
            })),
            _ => bail!("set all of {}, or none of them", NAMES.join(", ")),
        }
    }

    /// Those of a stack of our own.
    pub(crate) fn of(stack: &Stack) -> anyhow::Result<Self> {
        let [gateway, jaeger, mail] = NAMES.map(|name| stack.setting(name).map(ToOwned::to_owned));
        Ok(Self {
            gateway: gateway?,
            jaeger: jaeger?,
            mail: mail?,
            orders: Some(stack.setting(ORDERS)?.to_owned()),
            logs: stack.setting(LOGS).ok().map(ToOwned::to_owned),
        })
    }
}

/// Without a final slash, since paths are added to it.
#[expect(
    clippy::disallowed_methods,
    reason = "a test harness has no command line of its own to take settings from"
)]
fn variable(name: &str) -> Option<String> {
    let url = std::env::var(name).ok().filter(|value| !value.is_empty())?;
    Some(url.trim_end_matches('/').to_owned())
}
