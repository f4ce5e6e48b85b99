use clap::Args;
use otel_messaging::ConnectError;
use otel_messaging::pubsub::Client;

use crate::address;

const GOOGLES_OWN: &str = "pubsub.googleapis.com:443";

/// Where Pub/Sub is. Credentials are Google's Application Default Credentials, and none for an emulator.
#[derive(Debug, Clone, Args)]
#[group(id = "pubsub")]
pub struct PubsubArgs {
    /// Pub/Sub emulator as host:port, if it is not Google's own service.
    #[arg(long, env = "PUBSUB_EMULATOR_HOST", value_parser = address::hosts)]
    pub pubsub_emulator_host: Option<String>,

    /// Google Cloud project of the topics and subscriptions.
    #[arg(long, env = "PUBSUB_PROJECT_ID", default_value = "orderflow")]
    pub pubsub_project_id: String,
}

impl PubsubArgs {
    /// A client; the error is about credentials that cannot be found.
    pub async fn client(&self) -> Result<Client, ConnectError> {
        match &self.pubsub_emulator_host {
            Some(host) => Client::connect_emulator(host, &self.pubsub_project_id).await,
            None => Client::connect(&self.pubsub_project_id).await,
        }
    }

    /// Where it is, as `host:port`.
    pub fn host(&self) -> &str {
        self.pubsub_emulator_host.as_deref().unwrap_or(GOOGLES_OWN)
    }
}
