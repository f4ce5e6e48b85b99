//! Where the brokers are, and the same questions to each of them.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use otel_messaging::{DeadLetter, Redriven, kafka, pubsub, sqs};

use super::kafka::Kafka;
use super::letter::Letter;
use super::place::{Broker, Place};
use super::pubsub::PubSub;
use super::sqs::Sqs;
use crate::settings::{self, known};
use crate::table::usual;
use crate::topology::PUBSUB_PROJECT;

/// How long letters of SQS and Pub/Sub are out of others' sight if we die while we look at them.
const LOOK: Duration = Duration::from_secs(30);
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

impl Addresses {
    pub(super) fn connect(self, running: Option<&settings::Addresses>) -> anyhow::Result<Brokers> {
        let known = |given, name, usual: &str| known(given, running, name, usual);
        let here = |port: u16| format!("127.0.0.1:{port}");
        let sqs = format!("http://{}", here(self.sqs_port));
        let sqs = known(self.aws_endpoint_url_sqs, "AWS_ENDPOINT_URL_SQS", &sqs);
        let region = known(self.aws_region, "AWS_REGION", "us-east-1");
        let key_id = known(self.aws_access_key_id, "AWS_ACCESS_KEY_ID", "orderflow");
        let secret = self.aws_secret_access_key;
        let secret = known(secret, "AWS_SECRET_ACCESS_KEY", "orderflow");
        let (kafka, pubsub) = (here(self.kafka_port), here(self.pubsub_port));
        let pubsub = known(self.pubsub_emulator_host, "PUBSUB_EMULATOR_HOST", &pubsub);
        Ok(Brokers {
            kafka: Kafka {
                brokers: known(self.kafka_brokers, "KAFKA_BROKERS", &kafka),
            },
            sqs: Sqs::new(&sqs, region, &key_id, &secret),
            pubsub: PubSub::new(pubsub)?,
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

    /// The same, with none of them kept in our hands.
    pub(super) async fn glance(&self, place: &'static Place) -> anyhow::Result<Vec<Letter>> {
        let letters = self.look(place, LOOK).await?;
        self.give_back(place, &letters.iter().collect::<Vec<_>>())
            .await?;
        Ok(letters)
    }

    /// Sends a letter's message where it came from, in a new trace that is linked to the letter's.
    pub(super) async fn send_back(
        &self,
        place: &Place,
        letter: &DeadLetter,
    ) -> anyhow::Result<Redriven> {
        let origin = place.origin;
        let sent = async {
            anyhow::Ok(match place.broker {
                Broker::Kafka => {
                    let client = kafka::Client::new(self.kafka.config());
                    client.producer(origin).await?.redrive(letter).await?
                }
                Broker::Sqs => {
                    let client = sqs::Client::new(self.sqs.client.clone());
                    client.producer(origin).await?.redrive(letter).await?
                }
                Broker::PubSub => {
                    let host = &self.pubsub.host;
                    let client = pubsub::Client::connect_emulator(host, PUBSUB_PROJECT).await?;
                    client.producer(origin).await?.redrive(letter).await?
                }
            })
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
