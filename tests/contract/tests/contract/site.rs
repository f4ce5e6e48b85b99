//! The stack that the positive tests share.

use libtest_mimic::Failed;
use stack::{LazyStack, Servers};

use crate::addresses::Addresses;
use crate::failed;

/// The system under test: somebody else's, or one of our own.
#[derive(Debug)]
pub(crate) enum Site {
    Outside(Addresses),
    Own(LazyStack),
}

impl Site {
    pub(crate) fn new(outside: Option<Addresses>, servers: Servers) -> Self {
        outside.map_or_else(|| Self::Own(LazyStack::new(servers)), Self::Outside)
    }

    pub(crate) fn addresses(&self) -> Result<Addresses, Failed> {
        match self {
            Self::Outside(addresses) => Ok(addresses.clone()),
            Self::Own(stack) => Addresses::of(stack.get()?).map_err(failed),
        }
    }
}
