//! The five services by name.

use crate::ports::Port;

/// One of the five services. Its name is its binary, its log file and its label on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub(crate) enum Service {
    Gateway,
    Orders,
    Inventory,
    Classifier,
    Email,
}

impl Service {
    pub(crate) const ALL: [Self; 5] = [
        Self::Gateway,
        Self::Orders,
        Self::Inventory,
        Self::Classifier,
        Self::Email,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Orders => "orders",
            Self::Inventory => "inventory",
            Self::Classifier => "classifier",
            Self::Email => "email",
        }
    }

    /// The port that it listens on.
    pub(crate) fn port(self) -> Port {
        match self {
            Self::Gateway => Port::Gateway,
            Self::Orders => Port::Orders,
            Self::Inventory => Port::Inventory,
            Self::Classifier => Port::Classifier,
            Self::Email => Port::Email,
        }
    }
}
