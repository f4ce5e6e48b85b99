//! What the customers got: the mail server's mailbox, over `MailDev`'s API.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;

use crate::books::Mail;

const TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    http: Client,
    url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Email {
    #[serde(default)]
    headers: HashMap<String, Value>,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    message_id: String,
}

impl Mailbox {
    pub(crate) fn at(url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: Client::builder().timeout(TIMEOUT).no_proxy().build()?,
            url: format!("{url}/email"),
        })
    }

    /// The mails about orders.
    pub(crate) async fn read(&self) -> anyhow::Result<Vec<Mail>> {
        let response = self.http.get(&self.url).send().await;
        let response = response.context("the mailbox does not answer")?;
        let emails: Vec<Email> = response.error_for_status()?.json().await?;
        Ok(emails.into_iter().filter_map(about_an_order).collect())
    }

    /// Forgets all mails, so that the next cell reads its own.
    pub(crate) async fn clear(&self) -> anyhow::Result<()> {
        let request = self.http.delete(format!("{}/all", self.url));
        request.send().await?.error_for_status()?;
        Ok(())
    }
}

fn about_an_order(email: Email) -> Option<Mail> {
    let mut headers = email.headers.iter();
    let (_, order) = headers.find(|(name, _)| name.eq_ignore_ascii_case("x-order-id"))?;
    Some(Mail {
        order_id: order.as_str()?.parse().ok()?,
        subject: email.subject,
        message_id: email.message_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_about_an_order_is_known_by_its_header_in_any_case() {
        let order = "0198a5c4-7d0e-7cc0-b1a5-6b8f6a1c2d3e";
        for name in ["X-Order-Id", "x-order-id"] {
            let email = serde_json::json!(
                {"subject": "it is confirmed", "messageId": "a@b", "headers": {name: order}}
            );
            let mail = about_an_order(serde_json::from_value(email).unwrap()).unwrap();
            assert_eq!(mail.order_id.to_string(), order);
            assert_eq!(
                (&*mail.subject, &*mail.message_id),
                ("it is confirmed", "a@b")
            );
        }
        assert_eq!(about_an_order(serde_json::from_str("{}").unwrap()), None);
    }
}
