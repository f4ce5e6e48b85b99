use crate::helpers::{Installation, stderr, stdout};

/// The stand-in of the gateway answers 200 to everything, and a gateway that takes an order answers 201.
#[test]
fn says_where_orders_go_and_why_none_was_accepted() {
    let installation = Installation::new();
    let _up = installation.up();

    let output = installation.output(&["traffic", "--orders", "2", "--rate", "0"]);

    assert_eq!(output.status.code(), Some(1));
    let (head, gateway) = (stderr(&output), installation.setting("GATEWAY_URL"));
    let dir = installation.run_dir();
    let expected = format!(
        "orders go to {gateway}, the gateway of the stack in {}",
        dir.display()
    );
    assert_eq!(head.lines().next(), Some(expected.as_str()), "{head}");
    let report = stdout(&output);
    assert!(report.contains("2 sent, 0 accepted"), "{report}");
    assert!(report.contains("refused 2\n  2 × 200 OK"), "{report}");
}

#[test]
fn finds_containers_by_the_variables_that_move_their_ports() {
    let (containers, here) = (Installation::new(), Installation::new());
    let _up = containers.up();
    let mut traffic = here.command(&["traffic", "--orders", "1"]);
    for (variable, setting) in [
        ("GATEWAY_PORT", "GATEWAY_URL"),
        ("TRACES_PORT", "JAEGER_URL"),
        ("MAIL_PORT", "MAIL_URL"),
    ] {
        let url = containers.setting(setting);
        let (_, port) = url.rsplit_once(':').unwrap();
        traffic.env(variable, port);
    }

    let output = traffic.output().unwrap();

    let (head, gateway) = (stderr(&output), containers.setting("GATEWAY_URL"));
    let expected = format!("orders go to {gateway}, since no stack is ready in ");
    assert!(head.starts_with(&expected), "{head}");
    let report = stdout(&output);
    assert!(report.contains("1 × 200 OK"), "{report}");
    assert!(
        report.contains("none, since no order has ended"),
        "{report}"
    );
}

#[test]
fn with_nothing_running_it_sends_nothing_and_says_once_what_to_start() {
    let installation = Installation::new();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port().to_string();
    drop(nobody);
    let mut traffic = installation.command(&["traffic", "--orders", "20"]);

    let output = traffic.env("GATEWAY_PORT", &port).output().unwrap();

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    let message = stderr(&output);
    assert_eq!(message.matches("does not answer").count(), 1, "{message}");
    assert!(message.contains("`make demo`, `make up`"), "{message}");
    assert_eq!(message.lines().count(), 2, "{message}");
}
