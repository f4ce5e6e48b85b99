//! The faults of the stand-ins that are switched on as they start.

use clap::Args;

/// What the stand-ins do wrong on purpose.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Servers of your own")]
pub(crate) struct Faults {
    /// What the built-in embeddings do wrong on purpose, several with commas (docs/faults.md).
    #[arg(
        long,
        env = "FAULT_EMBEDDINGS",
        value_delimiter = ',',
        value_name = "FAULTS"
    )]
    pub(super) fault_embeddings: Vec<embeddings::Fault>,
    /// What the built-in mail server does wrong on purpose, several with commas (docs/faults.md).
    #[arg(long, env = "FAULT_MAIL", value_delimiter = ',', value_name = "FAULTS")]
    pub(super) fault_mail: Vec<mail::Fault>,
}
