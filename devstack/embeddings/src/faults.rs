//! What the endpoint does on a bad day: it stands before the API, and answers in its stead.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use serde_json::Value;
use standin::faults::{FaultError, Faults, Times, Written};

use crate::error::ApiError;

/// Bounds the work, and the memory, of one request.
pub(crate) const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// What goes wrong on purpose. Its text form is that of the setting: `unavailable:2`.
///
/// Times are counted for each input, which is all texts of a request; without a number, requests for models meet it too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// `unavailable[:times]`: 503.
    Unavailable(Times),
    /// `rate_limit[:times]`: 429 with `Retry-After`.
    RateLimit(Times),
    /// `hang_up[:times]`: the connection breaks in the middle of the answer.
    HangUp(Times),
    /// `refuse:<word>`: 400 for texts that contain the word, in whatever case.
    Refuse(String),
    /// `slow:<milliseconds>`: every answer takes so much longer.
    Slow(Duration),
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let written = Written::parse(text);
        match written.name {
            "unavailable" => written.times().map(Self::Unavailable),
            "rate_limit" => written.times().map(Self::RateLimit),
            "hang_up" => written.times().map(Self::HangUp),
            // A refusal without a word would refuse everything.
            "refuse" => match written.value.unwrap_or_default() {
                "" => Err(FaultError("refuse: a word is missing".to_owned())),
                word => Ok(Self::Refuse(word.to_lowercase())),
            },
            "slow" => written.delay().map(Self::Slow),
            _ => Err(FaultError(format!(
                "{text:?} is not one of unavailable[:times], rate_limit[:times], hang_up[:times], refuse:<word>, slow:<milliseconds>"
            ))),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(times) => write!(f, "unavailable{times}"),
            Self::RateLimit(times) => write!(f, "rate_limit{times}"),
            Self::HangUp(times) => write!(f, "hang_up{times}"),
            Self::Refuse(word) => write!(f, "refuse:{word}"),
            Self::Slow(delay) => write!(f, "slow:{}", delay.as_millis()),
        }
    }
}

/// The fault that a request with these texts meets. A request for models has none.
fn meet(faults: &Faults<Fault>, texts: &[String]) -> Option<Fault> {
    let contains = |word: &str| texts.iter().any(|text| text.to_lowercase().contains(word));
    faults.meet(texts, |fault| match fault {
        Fault::Unavailable(times) | Fault::RateLimit(times) | Fault::HangUp(times) => {
            Some(*times).filter(|times| *times == Times::Always || !texts.is_empty())
        }
        Fault::Refuse(word) => contains(word).then_some(Times::Always),
        Fault::Slow(_) => None,
    })
}

/// Stands before the API; without a fault it does not look at a request.
pub(crate) async fn stand_before(
    State(faults): State<Arc<Faults<Fault>>>,
    request: Request,
    next: Next,
) -> Response {
    let list = faults.list();
    if list.is_empty() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let body = match to_bytes(body, MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(error) => {
            return ApiError::request(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
                .into_response();
        }
    };
    let delays = list.iter().filter_map(|fault| match fault {
        Fault::Slow(delay) => Some(*delay),
        _ => None,
    });
    tokio::time::sleep(delays.sum()).await;
    match meet(&faults, &texts(&body)) {
        Some(fault) => answer(&fault),
        None => next.run(Request::from_parts(head, Body::from(body))).await,
    }
}

/// The texts of a request, as far as it has some: whether it is a good one is for the API to say.
fn texts(body: &Bytes) -> Vec<String> {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match &request["input"] {
        Value::Array(list) => list.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}

fn answer(fault: &Fault) -> Response {
    match fault {
        Fault::Unavailable(_) => ApiError::unavailable().into_response(),
        Fault::RateLimit(_) => ApiError::rate_limit().into_response(),
        Fault::HangUp(_) => Response::new(Body::from_stream(stream::once(async {
            // A body that fails makes the server close the connection.
            Err::<Bytes, _>(std::io::Error::other("hung up on purpose"))
        }))),
        Fault::Refuse(word) => {
            let message = format!("The input contains {word:?}, which is refused on purpose.");
            ApiError::field("input", message).into_response()
        }
        Fault::Slow(_) => StatusCode::OK.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in [
            "unavailable",
            "unavailable:2",
            "rate_limit",
            "rate_limit:1",
            "hang_up:3",
            "refuse:unlucky",
            "slow:250",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_fault() {
        for (text, expected) in [
            ("broken", "\"broken\" is not one of unavailable[:times]"),
            ("", "\"\" is not one of "),
            (
                "unavailable:0",
                "unavailable: \"0\" is not a number from 1 to 4294967295",
            ),
            ("rate_limit:", "rate_limit: \"\" is not a number"),
            ("slow", "slow: \"\" is not a number from 1 to 600000"),
            ("slow:soon", "slow: \"soon\" is not a number"),
            ("refuse", "refuse: a word is missing"),
            ("refuse:", "refuse: a word is missing"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    fn text(text: &str) -> Vec<String> {
        vec![text.to_owned()]
    }

    #[test]
    fn counts_for_each_text_and_one_fault_after_the_other() {
        let list: Vec<Fault> = ["unavailable:2", "rate_limit:1"]
            .map(|fault| fault.parse().unwrap())
            .into();
        let faults = Faults::new(list.clone());
        let met = || meet(&faults, &text("milk"));
        assert_eq!(
            [met(), met(), met(), met()],
            [
                Some(list[0].clone()),
                Some(list[0].clone()),
                Some(list[1].clone()),
                None
            ]
        );
        assert_eq!(meet(&faults, &text("glass")), Some(list[0].clone()));
        faults.set(list.clone());
        assert_eq!(met(), Some(list[0].clone()), "counting begins anew");
    }
}
