//! The stack that the positive tests share.

use std::sync::OnceLock;

use libtest_mimic::Failed;
use stack::{Servers, Stack};

use crate::addresses::Addresses;
use crate::{block_on, failed, start};

/// The system under test: somebody else's, or one of our own that starts when it is first asked for.
#[derive(Debug)]
pub(crate) enum Site {
    Outside(Addresses),
    /// A stack that did not start fails every test with the same reason, and is not tried again.
    Own(Servers, OnceLock<Result<Stack, String>>),
}

impl Site {
    pub(crate) fn new(outside: Option<Addresses>, servers: Servers) -> Self {
        outside.map_or_else(|| Self::Own(servers, OnceLock::new()), Self::Outside)
    }

    pub(crate) fn addresses(&self) -> Result<Addresses, Failed> {
        match self {
            Self::Outside(addresses) => Ok(addresses.clone()),
            Self::Own(servers, stack) => {
                let stack = stack.get_or_init(|| {
                    block_on(start(*servers, &[])).map_err(|error| format!("{error:#}"))
                });
                let stack = stack.as_ref().map_err(Failed::from)?;
                Addresses::of(stack).map_err(failed)
            }
        }
    }
}
