//! What the customers got: the mail sink, asked over `MailDev`'s API.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::ProgressBar;
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::gateway::{Order, Status};

const TIMEOUT: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_millis(250);

/// The header that names the order a mail is about.
const ORDER_HEADER: &str = "x-order-id";

/// How a subject ends that tells a status.
const SUBJECTS: [(&str, Status); 4] = [
    ("is confirmed", Status::Confirmed),
    ("was rejected", Status::Rejected),
    ("is in review", Status::InReview),
    ("failed", Status::Failed),
];

#[derive(Debug, Deserialize)]
struct Email {
    #[serde(default)]
    headers: HashMap<String, Value>,
    #[serde(default)]
    subject: String,
}

/// How many mails each order got about each status; a mail that tells none counts for any.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mails(HashMap<String, HashMap<Option<Status>, usize>>);

impl Mails {
    /// Mails about `orders`.
    pub(crate) fn found(&self, orders: &[&Order]) -> usize {
        let counts = orders.iter().filter_map(|order| self.0.get(&order.id));
        counts.flat_map(HashMap::values).sum()
    }

    /// The orders with none about the status that they have.
    pub(crate) fn missing<'a>(&self, orders: &[&'a Order]) -> Vec<&'a str> {
        self.those(orders, |status, counts| {
            !counts.contains_key(&Some(status)) && !counts.contains_key(&None)
        })
    }

    /// The orders with more than one about the same status: one in review that a person decided has two mails.
    pub(crate) fn doubled<'a>(&self, orders: &[&'a Order]) -> Vec<&'a str> {
        self.those(orders, |_, counts| counts.values().any(|count| *count > 1))
    }

    fn those<'a>(
        &self,
        orders: &[&'a Order],
        are: impl Fn(Status, &HashMap<Option<Status>, usize>) -> bool,
    ) -> Vec<&'a str> {
        let none = HashMap::new();
        let those = orders.iter().filter(|order| {
            let counts = self.0.get(&order.id).unwrap_or(&none);
            are(order.status, counts)
        });
        those.map(|order| order.id.as_str()).collect()
    }

    fn add(&mut self, order: &str, status: Option<Status>) {
        let counts = self.0.entry(order.to_owned()).or_default();
        *counts.entry(status).or_default() += 1;
    }
}

/// Reads the mailbox until every one of `orders` has its mail, or none has come for `patience`; the bar shows how many there
/// are.
pub(crate) async fn wait_for_mails(
    mail_url: &str,
    orders: &[&Order],
    patience: Duration,
    bar: &ProgressBar,
) -> anyhow::Result<Mails> {
    let client = Client::builder().timeout(TIMEOUT).build()?;
    let (mut before, mut last_came) = (0, Instant::now());
    loop {
        let mails = read(&client, mail_url).await?;
        let now = mails.found(orders);
        if now != before {
            (before, last_came) = (now, Instant::now());
        }
        bar.set_position(now as u64);
        if mails.missing(orders).is_empty() || last_came.elapsed() >= patience {
            return Ok(mails);
        }
        sleep(ASK_EVERY).await;
    }
}

async fn read(client: &Client, mail_url: &str) -> anyhow::Result<Mails> {
    let response = client.get(format!("{mail_url}/email")).send().await;
    let response =
        response.with_context(|| format!("the mail sink at {mail_url} does not answer"))?;
    let emails = response.error_for_status()?.json().await;
    Ok(count(emails.context("reading the mailbox")?))
}

fn count(emails: Vec<Email>) -> Mails {
    let mut mails = Mails::default();
    for Email { headers, subject } in emails {
        let mut headers = headers.iter();
        let order = headers.find(|(name, _)| name.eq_ignore_ascii_case(ORDER_HEADER));
        if let Some(order) = order.and_then(|(_, value)| value.as_str()) {
            let subject = subject.trim_end();
            let status = SUBJECTS.iter().find(|(words, _)| subject.ends_with(words));
            mails.add(order, status.map(|(_, status)| *status));
        }
    }
    mails
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::traffic::report::tests::order_with;

    impl FromIterator<(&'static str, Status)> for Mails {
        fn from_iter<I: IntoIterator<Item = (&'static str, Status)>>(all: I) -> Self {
            let mut mails = Self::default();
            for (order, status) in all {
                mails.add(order, Some(status));
            }
            mails
        }
    }

    fn orders() -> [Order; 3] {
        ["a", "b", "c"].map(|id| order_with(id, "confirmed"))
    }

    #[test]
    fn counts_the_mails_about_each_order() {
        let emails = r#"[{"headers":{"x-order-id":"a"}},{"headers":{"X-Order-Id":"b"}},{"headers":{"x-order-id":"b"}},
            {"headers":{"subject":"hello"}},{}]"#;
        let mails = count(serde_json::from_str(emails).unwrap());
        let orders = orders();
        let orders: Vec<_> = orders.iter().collect();
        assert_eq!(mails.missing(&orders), ["c"]);
        assert_eq!(mails.doubled(&orders), ["b"]);
        assert_eq!(mails.found(&orders), 3);
    }

    #[test]
    fn an_order_has_one_mail_for_each_status_by_its_subject() {
        let emails = r#"[
            {"headers":{"x-order-id":"a"},"subject":"Your order a is in review"},
            {"headers":{"x-order-id":"a"},"subject":"Your order a is confirmed"},
            {"headers":{"x-order-id":"b"},"subject":"Your order b is in review"},
            {"headers":{"x-order-id":"c"},"subject":"Your order c is confirmed"},
            {"headers":{"x-order-id":"c"},"subject":"Your order c is confirmed"}]"#;
        let mails = count(serde_json::from_str(emails).unwrap());
        let orders = orders();
        let orders: Vec<_> = orders.iter().collect();
        assert_eq!(
            mails.missing(&orders),
            ["b"],
            "it was told that it is in review"
        );
        assert_eq!(mails.doubled(&orders), ["c"]);
    }

    async fn answer(listener: &TcpListener, orders: &[&str]) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await.unwrap();
        let mails = orders.iter().map(
            |id| serde_json::json!({"headers": {"x-order-id": id}, "subject": "Your order is confirmed"}),
        );
        let body = mails.collect::<serde_json::Value>().to_string();
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close");
        let answer = format!("{head}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }

    #[tokio::test]
    async fn waits_for_as_long_as_mails_come_in() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // One mail more each time that it is asked.
        let sink = async {
            for count in 0.. {
                answer(&listener, &["a", "b", "c"][..count.min(3)]).await;
            }
        };
        let (orders, bar) = (orders(), ProgressBar::hidden());
        let orders: Vec<_> = orders.iter().collect();

        // Shorter than all of them take together, longer than one does.
        let patience = ASK_EVERY * 2;
        let mails = wait_for_mails(&url, &orders, patience, &bar);
        let mails = tokio::select! {
            mails = mails => mails.unwrap(),
            () = sink => unreachable!("it is asked for ever"),
        };

        assert!(mails.missing(&orders).is_empty());
        assert_eq!(bar.position(), 3);
    }
}
