//! Customers who wait for their answer.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Answer;
use super::order::NewOrder;

/// Longer than the gateway waits for anybody.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long somebody insists; every fault has ended long before.
const INSIST_FOR: Duration = Duration::from_mins(1);
const AGAIN_AFTER: Duration = Duration::from_millis(300);

#[derive(Deserialize)]
struct Accepted {
    order_id: Uuid,
}

pub(super) fn client() -> anyhow::Result<Client> {
    let client = Client::builder().timeout(ANSWER_WITHIN).no_proxy();
    Ok(client.build()?)
}

/// Asks once.
pub(super) async fn ask(http: &Client, url: &str, order: &NewOrder, key: Option<&str>) -> Answer {
    let mut request = http.post(url).json(order);
    if let Some(key) = key {
        // A structured field's string, as the IETF draft has it.
        request = request.header("idempotency-key", format!("\"{key}\""));
    }
    match request.send().await {
        Ok(response) => read(response).await,
        Err(error) => Answer::Nothing(error.to_string()),
    }
}

/// Asks until the order is accepted, or refused for good.
pub(super) async fn insist(http: &Client, url: &str, order: &NewOrder, key: &str) -> Answer {
    let deadline = Instant::now() + INSIST_FOR;
    loop {
        let answer = ask(http, url, order, Some(key)).await;
        let again = match answer {
            Answer::Accepted(_) => false,
            // Somebody else is at it: `Conflict`.
            Answer::Refused(status, _) => status >= 500 || status == 409,
            Answer::Nothing(_) => true,
        };
        if !again || Instant::now() > deadline {
            return answer;
        }
        sleep(AGAIN_AFTER).await;
    }
}

async fn read(response: Response) -> Answer {
    let status = response.status();
    let body = match response.text().await {
        Ok(body) => body,
        Err(error) => return Answer::Nothing(error.to_string()),
    };
    if status != StatusCode::CREATED {
        return Answer::Refused(status.as_u16(), body);
    }
    match serde_json::from_str::<Accepted>(&body) {
        Ok(accepted) => Answer::Accepted(accepted.order_id),
        Err(error) => Answer::Refused(status.as_u16(), format!("{error}: {body}")),
    }
}
