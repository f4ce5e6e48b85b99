//! Tokens for SASL OAUTHBEARER, which librdkafka asks for before the last one expires.

use std::error::Error;
use std::sync::Arc;
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

/// Where tokens come from. It may block for as long as one request takes.
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
}

impl ClientContext for Tokens {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let source = self.0.as_ref().ok_or("nobody gives tokens")?;
        let token = source().inspect_err(|error| {
            tracing::warn!(error = %error, "no token for Kafka, will try again");
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
