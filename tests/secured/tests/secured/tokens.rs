//! A server of tokens, as an identity provider has one: OAuth 2.0's client credentials grant.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Short, so that a token is renewed while the test runs.
const LIFETIME_SECONDS: u64 = 10;
const ID: &str = "classifier";
const SECRET: &str = "classifier-secret";

pub(crate) struct Tokens {
    pub(crate) url: String,
    given: Arc<AtomicU64>,
    _server: JoinSet<io::Result<()>>,
}

impl Tokens {
    pub(crate) async fn serve() -> anyhow::Result<Self> {
        let given = Arc::<AtomicU64>::default();
        let router = Router::new()
            .route("/token", post(token))
            .with_state(Arc::clone(&given));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/token", listener.local_addr()?);
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            url,
            given,
            _server: server,
        })
    }

    pub(crate) fn given(&self) -> u64 {
        self.given.load(Relaxed)
    }

    pub(crate) fn settings(&self) -> [(&'static str, String); 4] {
        [
            ("KAFKA_SASL_MECHANISM", "OAUTHBEARER".to_owned()),
            (
                "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL",
                self.url.clone(),
            ),
            ("KAFKA_SASL_OAUTHBEARER_CLIENT_ID", ID.to_owned()),
            ("KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET", SECRET.to_owned()),
        ]
    }
}

async fn token(
    State(given): State<Arc<AtomicU64>>,
    headers: HeaderMap,
    form: String,
) -> Result<Json<Value>, StatusCode> {
    let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{ID}:{SECRET}")));
    let known = headers
        .get("authorization")
        .is_some_and(|it| it == expected.as_str());
    if !known || form != "grant_type=client_credentials" {
        return Err(StatusCode::UNAUTHORIZED);
    }
    given.fetch_add(1, Relaxed);
    Ok(Json(json!({
        "access_token": unsigned(),
        "token_type": "Bearer",
        "expires_in": LIFETIME_SECONDS,
    })))
}

/// A token that nobody has signed, which Kafka takes as long as it has no key to check one with.
fn unsigned() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("the epoch is over").as_secs();
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"alg": "none"}));
    let claims = part(json!({"sub": ID, "iat": now, "exp": now + LIFETIME_SECONDS}));
    format!("{head}.{claims}.")
}
