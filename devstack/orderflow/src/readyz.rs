//! What a service answers to `GET /readyz` now, in words.

use std::fmt;

use reqwest::Client;
use serde::Deserialize;

/// The answer, by what a person would do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    /// It works, and what needs these waits.
    Without(Vec<String>),
    NotReady(String),
    /// Nothing came back.
    Silent,
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Without(away) => write!(f, "ready, but {} is away", away.join(", ")),
            Self::NotReady(detail) => f.write_str(detail),
            Self::Silent => f.write_str("does not answer"),
        }
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    degraded: Vec<String>,
    detail: Option<String>,
}

/// Asks the service at `url` once.
pub(crate) async fn ask(client: &Client, url: &str) -> Readiness {
    let Ok(response) = client.get(format!("{url}/readyz")).send().await else {
        return Readiness::Silent;
    };
    let status = response.status();
    let Ok(body) = response.text().await else {
        return Readiness::Silent;
    };
    read(status.is_success(), &status.to_string(), &body)
}

/// A body of another form than ours is taken by its status alone.
fn read(success: bool, status: &str, body: &str) -> Readiness {
    let body = serde_json::from_str::<Body>(body).ok();
    match (success, body) {
        (true, Some(body)) if !body.degraded.is_empty() => Readiness::Without(body.degraded),
        (true, _) => Readiness::Ready,
        (
            false,
            Some(Body {
                detail: Some(detail),
                ..
            }),
        ) => Readiness::NotReady(detail),
        (false, _) => Readiness::NotReady(format!("answers {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_in_words_what_a_service_answers() {
        let ready = r#"{"status":"ready"}"#;
        let degraded = r#"{"status":"degraded","degraded":["smtp"]}"#;
        let not_ready = r#"{"title":"Service Unavailable","status":503,"detail":"not ready: database; degraded: kafka"}"#;
        for (success, status, body, words) in [
            (true, "200 OK", ready, "ready"),
            (true, "200 OK", "ok", "ready"),
            (true, "200 OK", degraded, "ready, but smtp is away"),
            (
                false,
                "503",
                not_ready,
                "not ready: database; degraded: kafka",
            ),
            (
                false,
                "502 Bad Gateway",
                "<html>",
                "answers 502 Bad Gateway",
            ),
        ] {
            assert_eq!(read(success, status, body).to_string(), words);
        }
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_does_not_answer() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let client = Client::builder().build().unwrap();
        assert_eq!(ask(&client, &url).await, Readiness::Silent);
    }
}
