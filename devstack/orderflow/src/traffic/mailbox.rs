//! What the customers got: the mail sink, asked over `MailDev`'s API.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::Client;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

const TIMEOUT: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_millis(250);

/// The header that names the order a mail is about.
const ORDER_HEADER: &str = "x-order-id";

#[derive(Debug, Deserialize)]
struct Email {
    #[serde(default)]
    headers: HashMap<String, serde_json::Value>,
}

/// How many mails each order got.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mails(HashMap<String, usize>);

impl Mails {
    /// Mails about `orders`.
    pub(crate) fn found(&self, orders: &[&str]) -> usize {
        orders.iter().map(|order| self.about(order)).sum()
    }

    /// The orders with none.
    pub(crate) fn missing<'a>(&self, orders: &[&'a str]) -> Vec<&'a str> {
        orders
            .iter()
            .copied()
            .filter(|order| self.about(order) == 0)
            .collect()
    }

    /// The orders with more than one.
    pub(crate) fn doubled<'a>(&self, orders: &[&'a str]) -> Vec<&'a str> {
        orders
            .iter()
            .copied()
            .filter(|order| self.about(order) > 1)
            .collect()
    }

    fn about(&self, order: &str) -> usize {
        self.0.get(order).copied().unwrap_or(0)
    }
}

/// Reads the mailbox until every one of `orders` has its mail, for `patience` at most.
pub(crate) async fn wait_for_mails(
    mail_url: &str,
    orders: &[&str],
    patience: Duration,
) -> anyhow::Result<Mails> {
    let client = Client::builder().timeout(TIMEOUT).build()?;
    let deadline = Instant::now() + patience;
    loop {
        let mails = read(&client, mail_url).await?;
        if mails.missing(orders).is_empty() || Instant::now() >= deadline {
            return Ok(mails);
        }
        sleep(ASK_EVERY).await;
    }
}

async fn read(client: &Client, mail_url: &str) -> anyhow::Result<Mails> {
    let response = client.get(format!("{mail_url}/email")).send().await;
    let response =
        response.with_context(|| format!("the mail sink at {mail_url} does not answer"))?;
    let emails = response
        .error_for_status()?
        .json()
        .await
        .context("reading the mailbox")?;
    Ok(count(emails))
}

fn count(emails: Vec<Email>) -> Mails {
    let mut mails = Mails::default();
    for email in emails {
        let header = email
            .headers
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(ORDER_HEADER));
        if let Some((_, serde_json::Value::String(order))) = header {
            *mails.0.entry(order).or_default() += 1;
        }
    }
    mails
}

#[cfg(test)]
impl FromIterator<(&'static str, usize)> for Mails {
    fn from_iter<I: IntoIterator<Item = (&'static str, usize)>>(counts: I) -> Self {
        Self(
            counts
                .into_iter()
                .map(|(order, count)| (order.to_owned(), count))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_mails_about_each_order() {
        let emails = r#"[{"headers":{"x-order-id":"a"}},{"headers":{"X-Order-Id":"b"}},{"headers":{"x-order-id":"b"}},
            {"headers":{"subject":"hello"}},{}]"#;
        let mails = count(serde_json::from_str(emails).unwrap());
        assert_eq!(mails.missing(&["a", "b", "c"]), ["c"]);
        assert_eq!(mails.doubled(&["a", "b", "c"]), ["b"]);
        assert_eq!(mails.found(&["a", "b", "c"]), 3);
    }
}
