//! Tokens for SASL OAUTHBEARER, by OAuth 2.0's client credentials grant:
//! <https://www.rfc-editor.org/rfc/rfc6749#section-4.4>.

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use clap::Args;
use otel_messaging::kafka::Token;
use serde::Deserialize;
use serde_with::{DisplayFromStr, PickFirst, serde_as};
use url::Url;

/// How long the server of the tokens may take.
const ASK_WITHIN: Duration = Duration::from_secs(10);
/// After which a new one is asked for, however long the last one is good for.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);
/// How long a token is good for whose server does not say so.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(5);

/// Where tokens come from, with the SASL mechanism OAUTHBEARER.
#[derive(Clone, Args)]
#[group(id = "kafka_oauth")]
pub struct OauthArgs {
    /// URL that gives tokens, for OAUTHBEARER.
    #[arg(
        long,
        env = "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL",
        required_if_eq("kafka_sasl_mechanism", "OAUTHBEARER")
    )]
    pub kafka_sasl_oauthbearer_token_endpoint_url: Option<Url>,

    /// Who we are there.
    #[arg(
        long,
        env = "KAFKA_SASL_OAUTHBEARER_CLIENT_ID",
        required_if_eq("kafka_sasl_mechanism", "OAUTHBEARER")
    )]
    pub kafka_sasl_oauthbearer_client_id: Option<String>,

    /// The secret that proves it.
    #[arg(
        long,
        env = "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET",
        hide_env_values = true,
        required_if_eq("kafka_sasl_mechanism", "OAUTHBEARER")
    )]
    pub kafka_sasl_oauthbearer_client_secret: Option<String>,

    /// What the token is to be good for, if its server wants to know.
    #[arg(long, env = "KAFKA_SASL_OAUTHBEARER_SCOPE")]
    pub kafka_sasl_oauthbearer_scope: Option<String>,
}

/// What the server is asked with.
#[derive(Debug, Clone)]
struct Request {
    url: Url,
    id: String,
    secret: String,
    scope: Option<String>,
}

/// What it answers: <https://www.rfc-editor.org/rfc/rfc6749#section-5.1>.
#[serde_as]
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    /// In seconds; some write it as a text.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    expires_in: Option<f64>,
}

impl OauthArgs {
    /// A source of tokens, if all is there that it takes.
    pub(super) fn tokens(
        &self,
    ) -> Option<impl Fn() -> Result<Token, Box<dyn Error>> + Send + Sync + use<>> {
        let request = Request {
            url: self.kafka_sasl_oauthbearer_token_endpoint_url.clone()?,
            id: self.kafka_sasl_oauthbearer_client_id.clone()?,
            secret: self.kafka_sasl_oauthbearer_client_secret.clone()?,
            scope: self.kafka_sasl_oauthbearer_scope.clone(),
        };
        Some(move || request.token())
    }
}

impl Request {
    fn token(&self) -> Result<Token, Box<dyn Error>> {
        let answer = self.ask()?;
        let lifetime = answer
            .expires_in
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .unwrap_or(DEFAULT_LIFETIME);
        Ok(Token {
            value: answer.access_token,
            principal: self.id.clone(),
            expires: SystemTime::now() + lifetime.min(LONGEST_LIFETIME),
        })
    }

    fn ask(&self) -> reqwest::Result<Answer> {
        let client = reqwest::blocking::Client::builder()
            .timeout(ASK_WITHIN)
            .build()?;
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let request = client
            .post(self.url.clone())
            .basic_auth(&self.id, Some(&self.secret))
            .form(&form);
        request.send()?.error_for_status()?.json()
    }
}

/// Without the secret.
impl fmt::Debug for OauthArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.kafka_sasl_oauthbearer_token_endpoint_url;
        f.debug_struct("OauthArgs")
            .field("url", &url.as_ref().map(Url::as_str))
            .field("id", &self.kafka_sasl_oauthbearer_client_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_its_lifetime_in_whatever_form() {
        for (answer, expected) in [
            (r#"{"access_token": "a"}"#, None),
            (r#"{"access_token": "a", "expires_in": 3600}"#, Some(3600.0)),
            (
                r#"{"access_token": "a", "expires_in": 3600.5}"#,
                Some(3600.5),
            ),
            (
                r#"{"access_token": "a", "expires_in": "3600"}"#,
                Some(3600.0),
            ),
        ] {
            let answer: Answer = serde_json::from_str(answer).unwrap();
            assert_eq!(answer.expires_in, expected);
        }
    }
}
