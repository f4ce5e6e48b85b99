#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lifeline::Lifeline;
use postgres_server::{Error, Options, Server, testing};
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

fn options(dir: &Path) -> Options {
    Options {
        dir: dir.join("postgres"),
        port: 0,
        fsync: false,
    }
}

fn lifeline() -> Lifeline {
    Lifeline::start(None, None).unwrap()
}

/// A folder that the server's account can enter, also when the tests run as root.
fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

#[tokio::test]
async fn keeps_what_was_written_over_a_restart() {
    let dir = folder();
    let server = Server::start(options(dir.path()), &lifeline())
        .await
        .unwrap();
    server.create_database("orders").await.unwrap();
    server.create_database("orders").await.unwrap();
    write_a_row(&server.url("orders")).await;
    assert!(server.stop().await.unwrap().success());

    let server = Server::start(options(dir.path()), &lifeline())
        .await
        .unwrap();
    assert_eq!(count_rows(&server.url("orders")).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn runs_below_a_folder_that_others_cannot_enter() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(options(dir.path()), &lifeline())
        .await
        .unwrap();
    server.create_database("orders").await.unwrap();
    server.stop().await.unwrap();
    if let Ok(elsewhere) = std::fs::read_link(dir.path().join("postgres")) {
        std::fs::remove_dir_all(elsewhere).unwrap();
    }
}

#[tokio::test]
async fn names_the_port_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let dir = folder();
    let mut options = options(dir.path());
    options.port = port;
    let error = Server::start(options, &lifeline()).await.unwrap_err();
    assert!(matches!(error, Error::PortInUse(p) if p == port), "{error}");
}

#[tokio::test]
async fn refuses_a_folder_that_another_server_uses_and_says_why() {
    let dir = folder();
    let first = Server::start(options(dir.path()), &lifeline())
        .await
        .unwrap();
    let error = Server::start(options(dir.path()), &lifeline())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("postmaster.pid"), "{error}");
    first.stop().await.unwrap();
}

/// Its recovery may take long after a crash, and whoever waits may lose patience.
#[tokio::test]
async fn a_server_that_is_stopped_before_it_answers_leaves_its_folder_to_the_next() {
    let dir = folder();
    let first = Server::start(options(dir.path()), &lifeline())
        .await
        .unwrap();
    first.stop().await.unwrap();

    let unready = Server::launch(options(dir.path()), &lifeline())
        .await
        .unwrap();
    let stopped = timeout(Duration::from_secs(30), unready.stop()).await;
    stopped.unwrap().unwrap();

    let next = Server::start(options(dir.path()), &lifeline())
        .await
        .unwrap();
    next.stop().await.unwrap();
}

#[tokio::test]
async fn tells_that_the_server_died() {
    let dir = folder();
    let mut server = Server::start(options(dir.path()), &lifeline())
        .await
        .unwrap();
    let pid = server.pid().to_string();
    let killed = Command::new("kill").args(["-9", &pid]).status().unwrap();
    assert!(killed.success());
    assert!(!server.wait().await.unwrap().success());
}

#[tokio::test]
async fn gives_each_test_a_database_of_its_own() {
    let (one, other) = (testing::database().await, testing::database().await);
    write_a_row(&one).await;
    write_a_row(&other).await;
    assert_eq!(count_rows(&one).await, 1);
}

/// Dropping the last hand on the lifeline closes the same pipe that the kernel closes when the process was killed.
#[tokio::test]
async fn ends_and_cleans_up_when_its_owner_is_gone() {
    let dir = folder().keep();
    let lifeline = Lifeline::start(None, Some(&dir)).unwrap();
    let server = Server::start(options(&dir), &lifeline).await.unwrap();
    let pid = server.pid().to_string();
    drop((server, lifeline));
    let gone = async {
        while dir.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), gone).await.unwrap();
    let asked = Command::new("kill").args(["-0", &pid]).output().unwrap();
    assert!(!asked.status.success(), "process {pid} is still there");
}

/// A backend is in a session of its own, which no signal to the server's group reaches.
#[tokio::test]
async fn ends_while_it_and_its_backends_stand_still() {
    let dir = folder();
    let lifeline = lifeline();
    let server = Server::start(options(dir.path()), &lifeline).await.unwrap();
    let mut connection = PgConnection::connect(&server.url("postgres"))
        .await
        .unwrap();
    let backend: i32 = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let pids = [server.pid(), backend.cast_unsigned()];
    lifeline.freezing(server.pid(), &pids).unwrap();
    for pid in pids {
        let pid = pid.to_string();
        assert!(
            Command::new("kill")
                .args(["-STOP", &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    let stopped = timeout(Duration::from_secs(15), server.stop()).await;

    assert!(stopped.unwrap().unwrap().success());
}

async fn write_a_row(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql("create table rows (n int); insert into rows values (1)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

async fn count_rows(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar("select count(*) from rows")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}
