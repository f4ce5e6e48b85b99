use std::time::Duration;

use lettre::AsyncTransport as _;
use tokio::task::JoinSet;

use crate::helpers::{Server, order_mail};

#[tokio::test]
async fn keeps_every_message_of_many_clients() {
    const CLIENTS: usize = 8;
    const EACH: usize = 25;
    let server = Server::start().await;
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let mailer = server.mailer();
        clients.spawn(async move {
            for order in 0..EACH {
                mailer
                    .send(order_mail(&format!("{client}-{order}"), "load"))
                    .await
                    .expect("taken");
            }
        });
    }
    clients.join_all().await;
    let emails = server.emails("").await;
    let mut orders: Vec<_> = emails
        .iter()
        .map(|email| email["headers"]["x-order-id"].to_string())
        .collect();
    orders.sort();
    orders.dedup();
    assert_eq!(
        (emails.len(), orders.len()),
        (CLIENTS * EACH, CLIENTS * EACH)
    );
}

#[tokio::test]
async fn a_message_cut_off_by_the_client_is_not_kept() {
    let server = Server::start().await;
    let mut client = server.raw().await;
    client
        .write(b"HELO c\r\nMAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\nSubject: half")
        .await;
    for code in ["250", "250", "250", "354"] {
        assert!(client.line().await.starts_with(code));
    }
    drop(client);
    server.send(order_mail("o-1", "whole")).await;
    assert_eq!(server.emails("").await.len(), 1);
}

#[tokio::test]
async fn garbage_on_one_connection_does_not_disturb_another() {
    let server = Server::start().await;
    let mut polite = server.raw().await;
    assert!(polite.say("HELO polite").await.starts_with("250"));
    let mut rude = server.raw().await;
    rude.write(&vec![0xff; 100_000]).await;
    rude.write(b"\r\nQUIT\r\n").await;
    assert!(rude.line().await.starts_with("500"));
    assert!(rude.line().await.starts_with("221"));
    assert_eq!(rude.line().await, "", "the connection is closed");
    assert!(polite.say("NOOP").await.starts_with("250"));
}

#[tokio::test]
async fn tells_its_clients_when_it_stops() {
    let server = Server::start().await;
    let mut idle = server.raw().await;
    let mut sending = server.raw().await;
    sending
        .write(b"HELO c\r\nMAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\nSubject: half")
        .await;
    for _ in 0..4 {
        sending.line().await;
    }
    server.tell_to_stop();
    assert!(idle.line().await.starts_with("421 4.3.2"));
    assert!(sending.line().await.starts_with("421 4.3.2"));
    server.stopped().await.unwrap();
}

#[tokio::test]
async fn hangs_up_on_a_client_that_says_nothing() {
    let server = Server::start().await;
    let mut silent = server.raw().await;
    // With nothing else to do, the paused clock jumps to the server's timeout.
    tokio::time::pause();
    let begin = tokio::time::Instant::now();
    assert!(silent.line().await.starts_with("421 4.4.2"));
    assert!(begin.elapsed() >= Duration::from_mins(5));
}

#[tokio::test]
async fn turns_away_more_connections_than_it_serves() {
    let server = Server::start().await;
    let mut open = Vec::new();
    for _ in 0..200 {
        open.push(server.raw().await);
    }
    let mut refused = tokio::net::TcpStream::connect(server.smtp).await.unwrap();
    let mut reply = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut refused, &mut reply)
        .await
        .unwrap();
    assert!(reply.starts_with("421 4.7.0"), "{reply}");
}
