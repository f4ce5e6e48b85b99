use std::collections::HashSet;

use super::*;

const ALL: [Port; TABLE.len()] = {
    let mut all = [Port::Gateway; TABLE.len()];
    let mut index = 0;
    while index < TABLE.len() {
        all[index] = TABLE[index].port;
        index += 1;
    }
    all
};

pub(crate) fn default_ports() -> Ports {
    let matches = Ports::augment_args(Command::new("orderflow")).get_matches_from(["orderflow"]);
    Ports::from_arg_matches(&matches).unwrap()
}

fn free_ports() -> Ports {
    default_ports().free(&ALL)
}

#[test]
fn every_default_is_a_port_of_its_own() {
    let numbers: HashSet<u16> = default_ports().0.into_values().collect();
    assert_eq!(numbers.len(), TABLE.len());
}

#[test]
fn claims_a_different_free_port_for_every_listener() {
    let (ports, _claims) = free_ports().claim(&ALL).unwrap();
    let numbers: HashSet<u16> = ports.0.into_values().collect();
    assert_eq!(numbers.len(), TABLE.len());
    assert!(!numbers.contains(&0));
}

#[test]
fn names_every_taken_port_its_part_its_setting_and_its_holder() {
    let taken = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [first, second] = taken
        .each_ref()
        .map(|listener| listener.local_addr().unwrap().port());
    let mut ports = free_ports();
    ports
        .0
        .extend([(Port::Gateway, first), (Port::Smtp, second)]);

    let message = ports.claim(&ALL).unwrap_err().to_string();

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
    let (ports, _claims) = free_ports().claim(&ALL).unwrap();
    assert!(
        ports.0.values().all(|number| FREE_PORTS.contains(number)),
        "{ports:?}"
    );
}

#[test]
fn a_released_port_can_be_bound_by_a_child() {
    let (ports, mut claims) = free_ports().claim(&ALL).unwrap();
    claims.release(&[Port::Gateway]);
    TcpListener::bind((Ipv4Addr::LOCALHOST, ports.of(Port::Gateway))).unwrap();
}

#[test]
fn a_port_that_is_not_wanted_may_be_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut ports = free_ports();
    let number = taken.local_addr().unwrap().port();
    ports.0.insert(Port::Kafka, number);
    assert!(ports.clone().claim(&[Port::Gateway]).is_ok());
    assert!(ports.claim(&[Port::Kafka]).is_err());
}
