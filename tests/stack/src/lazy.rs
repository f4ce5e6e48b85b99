//! A stack that several tests share.

use std::sync::OnceLock;

use crate::{Options, Servers, Stack};

/// A stack that starts when it is first asked for.
///
/// One that did not start fails every test with the same reason, and is not tried again.
#[derive(Debug)]
pub struct LazyStack {
    servers: Servers,
    services: bool,
    stack: OnceLock<Result<Stack, String>>,
}

impl LazyStack {
    /// Servers together with the five services.
    pub fn new(servers: Servers) -> Self {
        Self {
            servers,
            services: true,
            stack: OnceLock::new(),
        }
    }

    /// Servers alone.
    pub fn of_servers(servers: Servers) -> Self {
        Self {
            services: false,
            ..Self::new(servers)
        }
    }

    /// Waits on this thread until the stack is ready; must not be called within a runtime.
    pub fn get(&self) -> Result<&Stack, String> {
        let stack = self
            .stack
            .get_or_init(|| self.start().map_err(|error| format!("{error:#}")));
        stack.as_ref().map_err(Clone::clone)
    }

    fn start(&self) -> anyhow::Result<Stack> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(Stack::start(Options {
            servers: self.servers,
            services: self.services,
            ..Options::default()
        }))
    }
}
