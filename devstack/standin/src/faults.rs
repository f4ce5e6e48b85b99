//! Faults on purpose: a stand-in as its server is on a bad day. None is there unless it was asked for.
//!
//! They are set at the start, and changed while the server runs with `PUT /faults` and `DELETE /faults`.
//! A fault is written `name`, or `name:value`.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Json, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use serde::{Deserialize, Serialize};

/// How many texts or people are told apart; when there are more, counting begins anew.
const MAX_COUNTED: usize = 100_000;
const MAX_DELAY_MS: u64 = 600_000;

/// Why a text is no fault, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FaultError(pub String);

/// How often a fault happens. Its text form follows the name: `:2`, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// So many times for each that it can happen to; then it works.
    First(u32),
    /// Until it is mended.
    Always,
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(times) => write!(f, ":{times}"),
            Self::Always => Ok(()),
        }
    }
}

/// The two parts of a fault's text.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// What goes wrong.
    pub name: &'a str,
    /// What follows the colon, where there is one.
    pub value: Option<&'a str>,
}

impl<'a> Written<'a> {
    /// Takes a text apart at its first colon.
    pub fn parse(text: &'a str) -> Self {
        match text.trim().split_once(':') {
            Some((name, value)) => Self {
                name,
                value: Some(value.trim()),
            },
            None => Self {
                name: text.trim(),
                value: None,
            },
        }
    }

    /// The value as a number of times; without one, always.
    pub fn times(&self) -> Result<Times, FaultError> {
        if self.value.is_none() {
            return Ok(Times::Always);
        }
        let times = self.number(u32::MAX.into())?;
        Ok(u32::try_from(times).map_or(Times::Always, Times::First))
    }

    /// The value as milliseconds, ten minutes at most.
    pub fn delay(&self) -> Result<Duration, FaultError> {
        self.number(MAX_DELAY_MS).map(Duration::from_millis)
    }

    fn number(&self, max: u64) -> Result<u64, FaultError> {
        let (name, value) = (self.name, self.value.unwrap_or_default());
        let number = value.parse().ok();
        let number = number.filter(|number| (1..=max).contains(number));
        number
            .ok_or_else(|| FaultError(format!("{name}: {value:?} is not a number from 1 to {max}")))
    }
}

/// The faults that are switched on, and how often each has happened.
#[derive(Debug)]
pub struct Faults<F>(Mutex<Inner<F>>);

#[derive(Debug)]
struct Inner<F> {
    faults: Vec<F>,
    /// By the place of the fault and the hash of whom it happened to.
    met: HashMap<(usize, u64), u32>,
}

impl<F> Default for Faults<F> {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            faults: Vec::new(),
            met: HashMap::new(),
        }))
    }
}

impl<F: Clone + fmt::Display> Faults<F> {
    /// These, and no others.
    pub fn new(faults: Vec<F>) -> Self {
        let new = Self::default();
        new.set(faults);
        new
    }

    /// These instead of those that there were; counting begins anew.
    pub fn set(&self, faults: Vec<F>) {
        let text: Vec<_> = faults.iter().map(F::to_string).collect();
        if text.is_empty() {
            tracing::debug!("no fault is switched on");
        } else {
            tracing::warn!(faults = text.join(","), "faults are switched on");
        }
        *self.lock() = Inner {
            faults,
            met: HashMap::new(),
        };
    }

    /// Those that are switched on, in their order.
    pub fn list(&self) -> Vec<F> {
        self.lock().faults.clone()
    }

    /// The first fault that happens to `whom` now, which is counted. `times` says how often one may, or that it does not.
    pub fn meet(&self, whom: impl Hash, times: impl Fn(&F) -> Option<Times>) -> Option<F> {
        let mut hasher = DefaultHasher::new();
        whom.hash(&mut hasher);
        let whom = hasher.finish();
        let Inner { faults, met } = &mut *self.lock();
        if met.len() >= MAX_COUNTED {
            met.clear();
        }
        let mut faults = faults.iter().enumerate();
        let happens = faults.find(|(place, fault)| match times(fault) {
            None => false,
            Some(Times::Always) => true,
            Some(Times::First(times)) => {
                let met = met.entry((*place, whom)).or_default();
                let happens = *met < times;
                *met += u32::from(happens);
                happens
            }
        });
        happens.map(|(_, fault)| fault.clone())
    }

    /// No code panics while it holds the lock but `times` of [`Self::meet`], which changes nothing.
    fn lock(&self) -> MutexGuard<'_, Inner<F>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of `/faults`, there and back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    faults: Vec<String>,
}

/// `GET`, `PUT` and `DELETE /faults`. `refuse` makes a 400 of what is wrong with a body, as the server words its errors.
pub fn switches<F>(refuse: fn(String) -> Response) -> MethodRouter<Arc<Faults<F>>>
where
    F: Clone + fmt::Display + FromStr<Err = FaultError> + Send + Sync + 'static,
{
    let put = async move |State(faults): State<Arc<Faults<F>>>,
                          body: Result<Json<List>, JsonRejection>| {
        let list = body
            .map_err(|error| error.body_text())
            .and_then(|Json(list)| parse(&list).map_err(|error| error.to_string()));
        match list {
            Ok(list) => {
                faults.set(list);
                answer(&faults)
            }
            Err(error) => refuse(error),
        }
    };
    get(async |State(faults): State<Arc<Faults<F>>>| answer(&faults))
        .put(put)
        .delete(async |State(faults): State<Arc<Faults<F>>>| {
            faults.set(Vec::new());
            tracing::info!("faults are switched off");
            answer(&faults)
        })
}

fn parse<F: FromStr<Err = FaultError>>(list: &List) -> Result<Vec<F>, FaultError> {
    list.faults.iter().map(|fault| fault.parse()).collect()
}

fn answer<F: Clone + fmt::Display>(faults: &Faults<F>) -> Response {
    let faults = faults.list().iter().map(F::to_string).collect();
    Json(List { faults }).into_response()
}
