use std::collections::HashSet;

use super::*;

const GATEWAY: Port = Port::new("gateway-port", "GATEWAY_PORT", "8080", "the gateway");
const SMTP: Port = Port::new("smtp-port", "SMTP_PORT", "1025", "the mail server (SMTP)");
const KAFKA: Port = Port::new("kafka-port", "KAFKA_PORT", "9092", "Kafka");
const ALL: [&Port; 3] = [&GATEWAY, &SMTP, &KAFKA];

fn claim_free() -> (Ports, Claims) {
    let mut ports = Ports::default();
    let claims = ports.claim(&ALL, true).unwrap();
    (ports, claims)
}

#[test]
fn claims_a_different_free_port_for_every_listener() {
    let (ports, _claims) = claim_free();
    let numbers: HashSet<u16> = ports.0.into_values().collect();
    assert_eq!(numbers.len(), ALL.len());
    assert!(!numbers.contains(&0));
}

#[test]
fn names_every_taken_port_its_part_its_setting_and_its_holder() {
    let taken = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [first, second] = taken
        .each_ref()
        .map(|listener| listener.local_addr().unwrap().port());
    let (mut ports, _) = claim_free();
    ports.set(&GATEWAY, first);
    ports.set(&SMTP, second);

    let message = ports.claim(&ALL, false).unwrap_err().to_string();

    let pid = std::process::id();
    for part in [
        format!("port {first} is taken by "),
        format!("(pid {pid}): the gateway needs it; set GATEWAY_PORT to another"),
        format!("port {second} is taken"),
        "set SMTP_PORT to another".to_owned(),
    ] {
        assert!(message.contains(&part), "{part} is not in: {message}");
    }
}

#[test]
fn a_free_port_is_none_that_an_outgoing_connection_could_take() {
    let (ports, _claims) = claim_free();
    assert!(
        ports.0.values().all(|number| FREE_PORTS.contains(number)),
        "{ports:?}"
    );
}

#[test]
fn a_released_port_can_be_bound_by_a_child() {
    let (ports, mut claims) = claim_free();
    claims.release(&[GATEWAY]);
    TcpListener::bind((Ipv4Addr::LOCALHOST, ports.of(&GATEWAY))).unwrap();
}

#[test]
fn a_port_that_is_not_wanted_may_be_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut ports, _) = claim_free();
    ports.set(&KAFKA, taken.local_addr().unwrap().port());
    assert!(ports.claim(&[&GATEWAY], false).is_ok());
    assert!(ports.claim(&[&KAFKA], false).is_err());
}

#[test]
fn a_template_is_filled_with_numbers_and_addresses() {
    let mut ports = Ports::default();
    ports.set(&KAFKA, 9092);
    let filled = ports.fill("{KAFKA}, {KAFKA_PORT}, ${env:KAFKA_PORT} and {OTHER}");
    assert_eq!(
        filled,
        "127.0.0.1:9092, 9092, ${env:KAFKA_PORT} and {OTHER}"
    );
}
