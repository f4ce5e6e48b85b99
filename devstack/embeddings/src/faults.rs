//! Faults on purpose: the endpoint as it is on a bad day. None is there unless it was asked for.
//!
//! They are set at the start, and changed while the server runs with `PUT /faults` and `DELETE /faults`.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::MAX_BODY_BYTES;
use crate::error::ApiError;

/// How many texts are told apart; when there are more, counting begins anew.
const MAX_COUNTED: usize = 100_000;
const MAX_DELAY_MS: u64 = 600_000;

/// What goes wrong on purpose. Its text form is that of the setting: `unavailable:2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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

/// How many requests meet a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// So many requests for each input; then it works. The input is all texts of a request.
    First(u32),
    /// Every request, also those for models, until the fault is mended.
    Always,
}

/// Why a text is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Nothing is called that.
    #[error(
        "{0:?} is not one of unavailable[:times], rate_limit[:times], hang_up[:times], refuse:<word>, slow:<milliseconds>"
    )]
    Unknown(String),
    /// There is a number missing, or out of its range.
    #[error("{fault}: {value:?} is not a number from 1 to {max}")]
    Number {
        /// Which fault.
        fault: &'static str,
        /// What was written instead.
        value: String,
        /// The largest that is allowed.
        max: u64,
    },
    /// A refusal without a word would refuse everything.
    #[error("refuse: a word is missing")]
    NoWord,
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, value) = match text.trim().split_once(':') {
            Some((name, value)) => (name, Some(value.trim())),
            None => (text.trim(), None),
        };
        match name {
            "unavailable" => Ok(Self::Unavailable(times("unavailable", value)?)),
            "rate_limit" => Ok(Self::RateLimit(times("rate_limit", value)?)),
            "hang_up" => Ok(Self::HangUp(times("hang_up", value)?)),
            "refuse" => match value {
                Some(word) if !word.is_empty() => Ok(Self::Refuse(word.to_lowercase())),
                _ => Err(FaultError::NoWord),
            },
            "slow" => {
                let delay = number("slow", value.unwrap_or_default(), MAX_DELAY_MS)?;
                Ok(Self::Slow(Duration::from_millis(delay)))
            }
            _ => Err(FaultError::Unknown(text.to_owned())),
        }
    }
}

fn times(fault: &'static str, value: Option<&str>) -> Result<Times, FaultError> {
    let Some(value) = value else {
        return Ok(Times::Always);
    };
    let times = number(fault, value, u32::MAX.into())?;
    Ok(u32::try_from(times).map_or(Times::Always, Times::First))
}

fn number(fault: &'static str, value: &str, max: u64) -> Result<u64, FaultError> {
    let number = value.parse().ok();
    let number = number.filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| FaultError::Number {
        fault,
        value: value.to_owned(),
        max,
    })
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

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(times) => write!(f, ":{times}"),
            Self::Always => Ok(()),
        }
    }
}

impl TryFrom<String> for Fault {
    type Error = FaultError;

    fn try_from(text: String) -> Result<Self, FaultError> {
        text.parse()
    }
}

impl From<Fault> for String {
    fn from(fault: Fault) -> Self {
        fault.to_string()
    }
}

/// The faults that are switched on, and how often each was met.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    faults: Vec<Fault>,
    /// By the place of the fault and the hash of the input.
    met: HashMap<(usize, u64), u32>,
}

/// The body of `/faults`, there and back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    faults: Vec<Fault>,
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        let new = Self::default();
        new.set(faults);
        new
    }

    /// Counting begins anew.
    fn set(&self, faults: Vec<Fault>) {
        let text: Vec<_> = faults.iter().map(Fault::to_string).collect();
        if !text.is_empty() {
            tracing::warn!(faults = text.join(","), "faults are switched on");
        }
        *self.lock() = Inner {
            faults,
            met: HashMap::new(),
        };
    }

    fn list(&self) -> Vec<Fault> {
        self.lock().faults.clone()
    }

    /// The fault that a request with these texts meets. A request for models has none.
    fn meet(&self, texts: &[String]) -> Option<Fault> {
        let mut inner = self.lock();
        let faults = inner.faults.clone();
        let mut faults = faults.into_iter().enumerate();
        let met = faults.find(|(place, fault)| match fault {
            Fault::Unavailable(times) | Fault::RateLimit(times) | Fault::HangUp(times) => {
                inner.counts(*place, *times, texts)
            }
            Fault::Refuse(word) => texts.iter().any(|text| text.to_lowercase().contains(word)),
            Fault::Slow(_) => false,
        });
        met.map(|(_, fault)| fault)
    }

    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether this request is one of so many, which it is counted as then.
    fn counts(&mut self, place: usize, times: Times, texts: &[String]) -> bool {
        let Times::First(times) = times else {
            return true;
        };
        if texts.is_empty() {
            return false;
        }
        if self.met.len() >= MAX_COUNTED {
            self.met.clear();
        }
        let met = self.met.entry((place, hash(texts))).or_default();
        let counts = *met < times;
        *met += u32::from(counts);
        counts
    }
}

fn hash(texts: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    texts.hash(&mut hasher);
    hasher.finish()
}

/// Stands before the API; without a fault it does not look at a request.
pub(crate) async fn stand_before(
    State(faults): State<Arc<Faults>>,
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
    match faults.meet(&texts(&body)) {
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

/// `GET /faults`.
pub(crate) async fn list(State(faults): State<Arc<Faults>>) -> Json<List> {
    let faults = faults.list();
    Json(List { faults })
}

/// `PUT /faults`: these instead of those that there are.
pub(crate) async fn put(
    State(faults): State<Arc<Faults>>,
    list: Result<Json<List>, JsonRejection>,
) -> Result<Json<List>, ApiError> {
    let Json(list) =
        list.map_err(|error| ApiError::request(StatusCode::BAD_REQUEST, error.body_text()))?;
    faults.set(list.faults.clone());
    Ok(Json(list))
}

/// `DELETE /faults`: everything works again.
pub(crate) async fn delete(State(faults): State<Arc<Faults>>) -> Json<List> {
    faults.set(Vec::new());
    tracing::info!("faults are switched off");
    list(State(faults)).await
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
        let met = || faults.meet(&text("milk"));
        assert_eq!(
            [met(), met(), met(), met()],
            [
                Some(list[0].clone()),
                Some(list[0].clone()),
                Some(list[1].clone()),
                None
            ]
        );
        assert_eq!(faults.meet(&text("glass")), Some(list[0].clone()));
        faults.set(list.clone());
        assert_eq!(met(), Some(list[0].clone()), "counting begins anew");
    }
}
