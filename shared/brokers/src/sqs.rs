use std::fmt;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::config::Credentials;
use clap::Args;
use otel_messaging::sqs::Client;

use crate::address;

/// Where SQS is, and as whom it is used.
#[derive(Debug, Clone, Args)]
#[group(id = "sqs")]
pub struct SqsArgs {
    /// SQS endpoint, if it is not AWS's own.
    #[arg(long, env = "AWS_ENDPOINT_URL_SQS", value_parser = address::endpoint)]
    pub aws_endpoint_url_sqs: Option<String>,

    /// AWS region.
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1")]
    pub aws_region: String,

    #[command(flatten)]
    pub keys: Option<SqsKeys>,
}

/// Credentials; without them they come from AWS's own chain: a profile, a role.
#[derive(Clone, Args)]
#[group(id = "aws_keys")]
pub struct SqsKeys {
    /// AWS access key; without it AWS's own chain is asked: a profile, a role.
    #[arg(
        long,
        env = "AWS_ACCESS_KEY_ID",
        requires = "aws_secret_access_key",
        required = false
    )]
    pub aws_access_key_id: String,

    /// Secret of the AWS access key.
    #[arg(
        long,
        env = "AWS_SECRET_ACCESS_KEY",
        hide_env_values = true,
        required = false
    )]
    pub aws_secret_access_key: String,

    /// Session token of temporary AWS credentials.
    #[arg(long, env = "AWS_SESSION_TOKEN", hide_env_values = true)]
    pub aws_session_token: Option<String>,
}

impl fmt::Debug for SqsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqsKeys")
            .field("aws_access_key_id", &self.aws_access_key_id)
            .finish_non_exhaustive()
    }
}

impl SqsKeys {
    fn credentials(&self) -> Credentials {
        Credentials::new(
            &self.aws_access_key_id,
            &self.aws_secret_access_key,
            self.aws_session_token.clone(),
            None,
            "settings",
        )
    }
}

impl SqsArgs {
    /// A client, which connects when it is needed.
    pub async fn client(&self) -> Client {
        let mut config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.aws_region.clone()));
        if let Some(endpoint) = &self.aws_endpoint_url_sqs {
            config = config.endpoint_url(endpoint);
        }
        if let Some(keys) = &self.keys {
            config = config.credentials_provider(keys.credentials());
        }
        Client::from_config(&config.load().await)
    }

    /// Where it is, as a URL.
    pub fn endpoint(&self) -> String {
        self.aws_endpoint_url_sqs
            .clone()
            .unwrap_or_else(|| format!("https://sqs.{}.amazonaws.com", self.aws_region))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Service {
        #[command(flatten)]
        sqs: SqsArgs,
    }

    fn service(arguments: &[&str]) -> Result<SqsArgs, clap::Error> {
        let arguments = ["service"].iter().chain(arguments);
        Service::try_parse_from(arguments).map(|service| service.sqs)
    }

    #[test]
    fn a_key_wants_its_secret_and_shows_none() {
        assert!(service(&["--aws-access-key-id=AKIA"]).is_err());
        let sqs = service(&[
            "--aws-access-key-id=AKIA",
            "--aws-secret-access-key=hunter2",
        ]);
        let shown = format!("{:?}", sqs.unwrap());
        assert!(
            shown.contains("AKIA") && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[test]
    fn without_an_endpoint_it_is_that_of_the_region() {
        let sqs = service(&["--aws-region=eu-central-1"]).unwrap();
        assert_eq!(sqs.endpoint(), "https://sqs.eu-central-1.amazonaws.com");
    }
}
