//! Where the brokers are, and the same questions to each of them.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use otel_messaging::{DeadLetter, Redriven, kafka, pubsub, sqs};

use super::kafka::Kafka;
use super::letter::Letter;
use super::place::{Broker, Place};
use super::pubsub::PubSub;
use super::sqs::Sqs;
use crate::control::Run;
use crate::settings::Setting;
use crate::table::usual;
use crate::topology::PUBSUB_PROJECT;

/// How long letters of SQS and Pub/Sub are out of others' sight if we die while we look at them.
pub(super) const LOOK: Duration = Duration::from_secs(30);
/// The same, while they are sent back one by one.
pub(super) const REDRIVE: Duration = Duration::from_mins(5);

/// Addresses from the command line or the environment; by default those of the stack that runs in `--dir`, and without
/// one those that containers have, which are moved by the same variables.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Addresses")]
pub(super) struct Addresses {
    /// Kafka's `host:port` [default: the running stack's, else port `KAFKA_PORT` or 9092 on 127.0.0.1].
    #[arg(long, env = "KAFKA_BROKERS", value_name = "LIST")]
    kafka_brokers: Option<String>,
    /// SQS [default: the running stack's, else port `SQS_PORT` or 9324 on 127.0.0.1].
    #[arg(long, env = "AWS_ENDPOINT_URL_SQS", value_name = "URL")]
    aws_endpoint_url_sqs: Option<String>,
    #[arg(long, env = "AWS_REGION", value_name = "REGION", hide = true)]
    aws_region: Option<String>,
    #[arg(long, env = "AWS_ACCESS_KEY_ID", value_name = "ID", hide = true)]
    aws_access_key_id: Option<String>,
    #[arg(
        long,
        env = "AWS_SECRET_ACCESS_KEY",
        value_name = "KEY",
        hide = true,
        hide_env_values = true
    )]
    aws_secret_access_key: Option<String>,
    /// The Pub/Sub emulator's `host:port` [default: the running stack's, else port `PUBSUB_PORT` or 8085 on 127.0.0.1].
    #[arg(long, env = "PUBSUB_EMULATOR_HOST", value_name = "HOST:PORT")]
    pubsub_emulator_host: Option<String>,
    #[arg(long, env = "KAFKA_PORT", default_value = usual("KAFKA_PORT"), hide = true)]
    kafka_port: u16,
    #[arg(long, env = "SQS_PORT", default_value = usual("SQS_PORT"), hide = true)]
    sqs_port: u16,
    #[arg(long, env = "PUBSUB_PORT", default_value = usual("PUBSUB_PORT"), hide = true)]
    pubsub_port: u16,
}

/// What the stack that runs in the folder tells its services.
#[derive(Debug)]
pub(super) struct Running(Vec<Setting>);

impl Running {
    pub(super) fn of(folder: &Path) -> anyhow::Result<Self> {
        let running = Run::ready(folder)?;
        let settings = running.map(|(_, addresses)| addresses.shared());
        Ok(Self(settings.unwrap_or_default()))
    }

    /// What was given comes first, then what the stack says.
    pub(super) fn setting(&self, given: Option<String>, name: &str) -> Option<String> {
        let running = self.0.iter().find(|setting| setting.name == name);
        given.or_else(|| Some(running?.value.clone()))
    }
}

impl Addresses {
    pub(super) async fn connect(self, running: &Running) -> anyhow::Result<Brokers> {
        let known = |given, name, usual: String| running.setting(given, name).unwrap_or(usual);
        let here = |port: u16| format!("127.0.0.1:{port}");
        let key = || "orderflow".to_owned();
        let endpoint = known(
            self.aws_endpoint_url_sqs,
            "AWS_ENDPOINT_URL_SQS",
            format!("http://{}", here(self.sqs_port)),
        );
        let region = known(self.aws_region, "AWS_REGION", "us-east-1".to_owned());
        let key_id = known(self.aws_access_key_id, "AWS_ACCESS_KEY_ID", key());
        let secret = known(self.aws_secret_access_key, "AWS_SECRET_ACCESS_KEY", key());
        let host = known(
            self.pubsub_emulator_host,
            "PUBSUB_EMULATOR_HOST",
            here(self.pubsub_port),
        );
        Ok(Brokers {
            kafka: Kafka {
                brokers: known(self.kafka_brokers, "KAFKA_BROKERS", here(self.kafka_port)),
            },
            sqs: Sqs::new(&endpoint, region, &key_id, &secret).await,
            pubsub: PubSub::new(host)?,
        })
    }
}

/// The three brokers.
#[derive(Debug)]
pub(super) struct Brokers {
    pub(super) kafka: Kafka,
    pub(super) sqs: Sqs,
    pub(super) pubsub: PubSub,
}

impl Brokers {
    /// The letters in `place`. On SQS and Pub/Sub they are in our hands for `lease`, unless they are given back.
    pub(super) async fn look(
        &self,
        place: &'static Place,
        lease: Duration,
    ) -> anyhow::Result<Vec<Letter>> {
        let looked = match place.broker {
            Broker::Kafka => self.kafka.look(place).await,
            Broker::Sqs => self.sqs.look(place, lease).await,
            Broker::PubSub => self.pubsub.look(place, lease).await,
        };
        looked.with_context(|| self.asking(place))
    }

    /// Lets others have letters that we have looked at.
    pub(super) async fn give_back(
        &self,
        place: &'static Place,
        letters: &[&Letter],
    ) -> anyhow::Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        let given = match place.broker {
            Broker::Kafka => Ok(()),
            Broker::Sqs => self.sqs.give_back(place, letters).await,
            Broker::PubSub => self.pubsub.give_back(place, letters).await,
        };
        given.with_context(|| format!("giving letters back; {}", self.asking(place)))
    }

    /// Sends a letter's message where it came from, in a new trace that is linked to the letter's.
    pub(super) async fn send_back(
        &self,
        place: &Place,
        letter: &DeadLetter,
    ) -> anyhow::Result<Redriven> {
        let origin = place.origin;
        let sent = async {
            let redriven = match place.broker {
                Broker::Kafka => {
                    let client = kafka::Client::new(self.kafka.config());
                    client.producer(origin).await?.redrive(letter).await?
                }
                Broker::Sqs => {
                    let client = sqs::Client::new(self.sqs.client.clone());
                    client.producer(origin).await?.redrive(letter).await?
                }
                Broker::PubSub => {
                    let client =
                        pubsub::Client::connect_emulator(&self.pubsub.host, PUBSUB_PROJECT);
                    client
                        .await?
                        .producer(origin)
                        .await?
                        .redrive(letter)
                        .await?
                }
            };
            anyhow::Ok(redriven)
        };
        sent.await.with_context(|| self.asking(place))
    }

    /// Takes a letter out of its place; whether the broker can.
    pub(super) async fn remove(&self, letter: &Letter) -> anyhow::Result<bool> {
        let removed = match letter.place.broker {
            Broker::Kafka => return Ok(false),
            Broker::Sqs => self.sqs.remove(letter).await,
            Broker::PubSub => self.pubsub.remove(letter).await,
        };
        removed.with_context(|| self.asking(letter.place))?;
        Ok(true)
    }

    fn asking(&self, place: &Place) -> String {
        let broker = place.broker;
        let address = match broker {
            Broker::Kafka => &self.kafka.brokers,
            Broker::Sqs => &self.sqs.endpoint,
            Broker::PubSub => &self.pubsub.host,
        };
        format!("{broker} at {address}")
    }
}
