//! Tokens for SASL OAUTHBEARER, which librdkafka asks for before the last one expires.

use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// One token: what SASL OAUTHBEARER says who we are with.
#[derive(Clone)]
pub struct Token {
    /// The token itself, without `Bearer`.
    pub value: String,
    /// Whom it is for.
    pub principal: String,
    /// Until when it is good; librdkafka asks for the next one when four fifths of the time are over.
    pub expires: SystemTime,
}

type Source = dyn Fn() -> Result<Token, Box<dyn Error>> + Send + Sync;

/// Where a client's tokens come from, if it needs any. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Tokens(Option<Arc<Source>>);

impl Tokens {
    pub(super) fn from(
        source: impl Fn() -> Result<Token, Box<dyn Error>> + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(source)))
    }

    /// Whether the next token may be better than the last one.
    pub(super) fn are_there(&self) -> bool {
        self.0.is_some()
    }

    /// On a thread of its own: librdkafka asks on whichever thread polls it, which may be one of the runtime, and must
    /// outlive a panic. What it is told must not be empty, or it does not ask again.
    fn next(&self) -> Result<Token, String> {
        let source = self.0.as_ref().ok_or("nobody gives tokens")?;
        let asked = thread::scope(|scope| {
            let asked = scope.spawn(|| source().map_err(|error| error.to_string()));
            asked.join()
        });
        let answer = asked.map_err(|_| "the source of tokens panicked")?;
        answer.map_err(|error| format!("no token: {error}"))
    }
}

impl ClientContext for Tokens {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let token = self.next().inspect_err(|error| {
            tracing::warn!(error, "no token for Kafka, will try again");
        })?;
        let expires = token.expires.duration_since(UNIX_EPOCH)?.as_millis();
        Ok(OAuthToken {
            token: token.value,
            principal_name: token.principal,
            lifetime_ms: expires.try_into()?,
        })
    }

    fn error(&self, error: KafkaError, reason: &str) {
        say(&error, reason);
    }
}

/// What librdkafka says of its connections.
pub(super) fn say(error: &KafkaError, reason: &str) {
    // It follows from others that were said, and comes again with each try, several times a second.
    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
        tracing::debug!(%error, reason, "no broker of Kafka is there");
    } else {
        tracing::warn!(%error, reason, "Kafka");
    }
}

/// Without the token.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("principal", &self.principal)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tokens").field(&self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(
        source: impl Fn() -> Result<Token, Box<dyn Error>> + Send + Sync + 'static,
    ) -> String {
        let token = Tokens::from(source).generate_oauth_token(None);
        token.err().unwrap().to_string()
    }

    #[test]
    fn a_source_that_fails_or_panics_is_asked_again_and_ends_nothing() {
        assert_eq!(refusal(|| Err("".into())), "no token: ");
        assert_eq!(refusal(|| panic!("oops")), "the source of tokens panicked");
    }

    #[tokio::test]
    async fn a_source_may_block_as_it_likes() {
        let tokens = Tokens::from(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            Ok(Token {
                value: runtime.block_on(async { "token".to_owned() }),
                principal: "orders".to_owned(),
                expires: UNIX_EPOCH + std::time::Duration::from_secs(1),
            })
        });
        let token = tokens.generate_oauth_token(None).unwrap();
        assert_eq!((&*token.token, token.lifetime_ms), ("token", 1000));
    }
}
