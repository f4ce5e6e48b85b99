use std::net::{TcpListener, TcpStream};

use crate::helpers::{Installation, SERVICES, Up, get, stderr};

#[test]
fn up_starts_everything_and_env_tells_where_it_is() {
    let installation = Installation::new();
    let _up = installation.up();

    for setting in ["JAEGER_URL", "MAIL_URL", "AWS_ENDPOINT_URL_SQS"] {
        let answer = get(&installation.setting(setting), "/");
        assert!(answer.starts_with("HTTP/1.1 "), "{setting}: {answer:?}");
    }
    assert!(get(&installation.setting("MAIL_URL"), "/email").ends_with("[]"));
    let brokers = installation.setting("KAFKA_BROKERS");
    TcpStream::connect(brokers).unwrap();
}

#[test]
fn each_service_gets_exactly_what_env_prints_for_it() {
    let installation = Installation::new();
    let _up = installation.up();

    for service in SERVICES {
        let printed = installation.settings(&[service]);
        let listen = printed
            .iter()
            .find_map(|line| line.strip_prefix("LISTEN_ADDR="))
            .unwrap();
        let received = get(&format!("http://{listen}"), "/settings");
        for line in &printed {
            assert!(received.contains(line), "{service} was not told {line}");
        }
    }
}

#[test]
fn a_service_from_the_editor_runs_against_servers_alone() {
    let installation = Installation::new();
    // Where nobody listens now, as where the service will.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    let mut command = installation.command(&["up", "--free-ports", "--only-servers"]);
    let mut up = Up::start(command.env("ORDERS_PORT", &port));
    up.wait_for_stderr("ready: traces at http://");
    let children = installation.children();
    let children: Vec<_> = children.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(children.len(), 2, "{children:?}");
    assert!(children.contains(&"postgres") && children.contains(&"kafka"));

    let mut orders = installation.start_service("orders");
    orders.wait_for_stdout("listening");

    let told = get(&format!("http://127.0.0.1:{port}"), "/settings");
    for (name, shared) in [
        ("DATABASE_URL", "ORDERS_DATABASE_URL"),
        ("KAFKA_BROKERS", "KAFKA_BROKERS"),
        ("PUBSUB_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST"),
    ] {
        let setting = format!("\n{name}={}\n", installation.setting(shared));
        assert!(told.contains(&setting), "{setting} is not in {told}");
    }
}

#[test]
fn log_lines_carry_the_name_of_their_service_and_are_kept_as_they_came() {
    let installation = Installation::new();
    let mut up = installation.up();
    up.signal("-TERM");
    up.wait();

    let screen = up.rest_of_stdout();
    assert!(
        screen
            .lines()
            .any(|line| line.starts_with("gateway    │ INFO  listening address=127.0.0.1:")),
        "{screen}"
    );
    let kept = std::fs::read_to_string(installation.run_dir().join("logs/gateway.log")).unwrap();
    assert!(
        kept.starts_with(r#"{"level":"INFO","message":"listening""#),
        "{kept}"
    );
}

#[test]
fn data_is_kept_from_run_to_run_unless_fresh_is_asked_for() {
    let installation = Installation::new();
    let data = installation.run_dir().join("postgres/data/PG_VERSION");
    let created = || std::fs::metadata(&data).unwrap().modified().unwrap();
    drop(installation.up());
    let first = created();

    drop(installation.up());
    assert_eq!(created(), first);

    let output = installation.output(&["demo", "--once", "--fresh", "--free-ports"]);
    assert_eq!(output.status.code(), Some(1), "a stand-in takes no orders");
    assert_ne!(created(), first);
}

#[test]
fn env_says_that_nothing_is_ready() {
    let output = Installation::new().output(&["env"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("nothing is ready in"),
        "{}",
        stderr(&output)
    );
}
