//! Pub/Sub: context in message attributes, retry by nack, a dead-letter topic.

mod consumer;
mod producer;

use clap::Args;
use google_cloud_auth::credentials::{Credentials, anonymous};

pub use consumer::Consumer;
pub use producer::Producer;

use crate::error::ConnectError;
use crate::settings;
use crate::span::Destination;

const SYSTEM: &str = "gcp_pubsub";
const GOOGLES_OWN: &str = "pubsub.googleapis.com:443";

/// Where Pub/Sub is. Credentials are Google's Application Default Credentials, and none for an emulator.
#[derive(Debug, Clone, Args)]
#[group(id = "pubsub")]
pub struct Address {
    /// Pub/Sub emulator as host:port, if it is not Google's own service.
    #[arg(long, env = "PUBSUB_EMULATOR_HOST", value_parser = settings::hosts)]
    pub pubsub_emulator_host: Option<String>,

    /// Google Cloud project of the topics and subscriptions.
    #[arg(long, env = "PUBSUB_PROJECT_ID", default_value = "orderflow")]
    pub pubsub_project_id: String,
}

/// The settings of a client that was told where the emulator is; Google's client does not read the variable itself.
struct Emulator {
    endpoint: String,
    credentials: Credentials,
}

impl Address {
    fn emulator(&self) -> Option<Emulator> {
        let host = self.pubsub_emulator_host.as_ref()?;
        Some(Emulator {
            endpoint: format!("http://{host}"),
            credentials: anonymous::Builder::new().build(),
        })
    }

    fn topic(&self, name: &str) -> String {
        format!("projects/{}/topics/{name}", self.pubsub_project_id)
    }

    fn subscription(&self, name: &str) -> String {
        format!("projects/{}/subscriptions/{name}", self.pubsub_project_id)
    }

    /// Where it is, as `host:port`.
    pub fn host(&self) -> &str {
        self.pubsub_emulator_host.as_deref().unwrap_or(GOOGLES_OWN)
    }

    fn destination(&self, topic: &str) -> Destination {
        Destination::new(SYSTEM, topic, self.host())
    }
}

fn refused(reason: &impl ToString) -> ConnectError {
    ConnectError(reason.to_string())
}
