//! Dead letters of Pub/Sub: pulled over REST, and given back at once unless they are redriven.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use otel_messaging::{DeadLetter, Headers};
use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::letter::Letter;
use super::place::Place;
use crate::topology::PUBSUB_PROJECT;

const PATIENCE: Duration = Duration::from_secs(5);
const AT_ONCE: u32 = 1000;
/// An answer without messages does not promise that there are none.
const EMPTY_ANSWERS: u32 = 2;

#[derive(Debug)]
pub(super) struct PubSub {
    /// `host:port` of the emulator.
    pub(super) host: String,
    client: Client,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Pulled {
    received_messages: Vec<Received>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Received {
    ack_id: String,
    message: Message,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Message {
    data: String,
    attributes: BTreeMap<String, String>,
    #[serde(rename = "messageId")]
    id: String,
    publish_time: Option<DateTime<Utc>>,
    ordering_key: String,
}

impl PubSub {
    pub(super) fn new(host: String) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { host, client })
    }

    /// Every letter that nobody has in hand; they are ours for `lease`.
    pub(super) async fn look(
        &self,
        place: &'static Place,
        lease: Duration,
    ) -> anyhow::Result<Vec<Letter>> {
        let (mut letters, mut empty) = (Vec::new(), 0);
        while empty < EMPTY_ANSWERS {
            let pull = json!({"maxMessages": AT_ONCE, "returnImmediately": true});
            let pulled: Pulled = self.call(place, "pull", &pull).await?;
            let received = pulled.received_messages;
            if received.is_empty() {
                empty += 1;
                continue;
            }
            let acks: Vec<_> = received.iter().map(|one| one.ack_id.as_str()).collect();
            self.extend(place, &acks, lease.as_secs()).await?;
            for one in received {
                letters.push(letter(place, one)?);
            }
        }
        Ok(letters)
    }

    pub(super) async fn give_back(&self, place: &Place, letters: &[&Letter]) -> anyhow::Result<()> {
        self.extend(place, &receipts(letters), 0).await
    }

    pub(super) async fn remove(&self, letter: &Letter) -> anyhow::Result<()> {
        let acks = json!({"ackIds": receipts(&[letter])});
        let done = self.call::<Value>(letter.place, "acknowledge", &acks);
        done.await.map(drop)
    }

    /// For so many seconds from now; zero gives back.
    async fn extend(&self, place: &Place, acks: &[&str], seconds: u64) -> anyhow::Result<()> {
        let deadline = json!({"ackIds": acks, "ackDeadlineSeconds": seconds});
        let done = self.call::<Value>(place, "modifyAckDeadline", &deadline);
        done.await.map(drop)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        place: &Place,
        verb: &str,
        body: &Value,
    ) -> anyhow::Result<T> {
        let (host, name) = (&self.host, place.name);
        let url = format!("http://{host}/v1/projects/{PUBSUB_PROJECT}/subscriptions/{name}:{verb}");
        let response = self.client.post(url).json(body).send().await?;
        let status = response.status();
        ensure!(
            status.is_success(),
            "the subscription {name}: {status} to {verb}"
        );
        let answer = response.json().await;
        answer.with_context(|| format!("its answer to {verb}"))
    }
}

fn receipts<'a>(letters: &[&'a Letter]) -> Vec<&'a str> {
    letters
        .iter()
        .filter_map(|letter| letter.receipt.as_deref())
        .collect()
}

fn letter(place: &'static Place, received: Received) -> anyhow::Result<Letter> {
    let message = received.message;
    let payload = BASE64_STANDARD
        .decode(&message.data)
        .context("its data is no Base64")?;
    let key = (!message.ordering_key.is_empty()).then(|| message.ordering_key.into());
    let headers: Headers = message.attributes.into_iter().collect();
    let read = DeadLetter::read(key, Some(payload.into()), &headers);
    let ack = Some(received.ack_id);
    Ok(Letter::new(
        place,
        &message.id,
        message.publish_time,
        read,
        ack,
    ))
}
