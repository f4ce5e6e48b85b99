//! A database per test, on one server per test binary.

use lifeline::Lifeline;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::server::{Options, Server, create_database};

static SERVER: OnceCell<Server> = OnceCell::const_new();

/// Creates a new, empty database and returns its address.
///
/// It is on the server that `TEST_DATABASE_URL` points at, whose user may create databases;
/// without that variable on a temporary server, which ends, and whose folder is removed, with the test binary.
pub async fn database() -> String {
    let name = format!("test_{}", Uuid::new_v4().simple());
    let server = match test_database_url() {
        Some(url) => url,
        None => SERVER.get_or_init(temporary).await.url("postgres"),
    };
    create_database(&server, &name)
        .await
        .expect("a database for a test");
    let options: PgConnectOptions = server.parse().expect("the address of a server");
    options.database(&name).to_url_lossy().to_string()
}

async fn temporary() -> Server {
    let dir = tempfile::Builder::new()
        .prefix("postgres-test-")
        .tempdir()
        .expect("a temporary folder");
    // A static is never dropped, so whatever watches over the server removes it.
    let dir = dir.keep();
    let lifeline = Lifeline::start(None, Some(&dir)).expect("a shell");
    let options = Options {
        dir,
        port: 0,
        fsync: false,
    };
    let server = Server::start(options, &lifeline).await;
    server.expect("a server for tests")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test binary has no main of ours to parse its one setting in"
)]
fn test_database_url() -> Option<String> {
    std::env::var("TEST_DATABASE_URL")
        .ok()
        .filter(|url| !url.is_empty())
}
