//! Where the brokers are.

use anyhow::Error;
use stack::{LazyStack, Servers};

/// The servers that `STACK` asks for, which start when the first test needs them.
pub(crate) struct Site {
    /// `None` where each test starts a stand-in of its own.
    real: Option<LazyStack>,
}

/// Where one broker is.
pub(crate) enum Place {
    /// In the test, which starts it.
    Here,
    At(String),
    /// This machine could not provide the real one.
    Nowhere(String),
}

impl Site {
    pub(crate) fn of_this_run() -> anyhow::Result<Self> {
        let servers = Servers::of_this_run()?;
        let real = (servers != Servers::Embedded).then(|| LazyStack::of_servers(servers));
        Ok(Self { real })
    }

    /// Whether each test starts a stand-in of its own.
    pub(crate) fn is_embedded(&self) -> bool {
        self.real.is_none()
    }

    /// Where the broker is that `orderflow up` calls `part`, and whose address is the setting `address`.
    pub(crate) fn find(&self, part: &str, address: &str) -> anyhow::Result<Place> {
        let Some(real) = &self.real else {
            return Ok(Place::Here);
        };
        let stack = real.get().map_err(Error::msg)?;
        if let Some(why) = stack.stand_in(part)? {
            return Ok(Place::Nowhere(why.to_owned()));
        }
        Ok(Place::At(stack.setting(address)?.to_owned()))
    }
}
