use std::time::{Duration, Instant};

use lettre::AsyncTransport as _;
use lettre::transport::smtp::authentication::Credentials;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::helpers::{Raw, Server, order_mail};

/// A client that has said EHLO.
async fn greeted(server: &Server) -> Raw {
    let mut client = server.raw().await;
    client.say("HELO c").await;
    client
}

/// The codes that a client gets who sends a mail to this recipient, up to the first that is no success.
async fn sends(client: &mut Raw, to: &str) -> String {
    client.say("RSET").await;
    for command in ["MAIL FROM:<a@x.org>".to_owned(), format!("RCPT TO:<{to}>")] {
        let reply = client.say(&command).await;
        if !reply.starts_with("250") {
            return reply;
        }
    }
    assert!(client.say("DATA").await.starts_with("354"));
    client.say("Subject: s\r\n\r\n.").await
}

#[tokio::test]
async fn puts_off_each_recipient_once() {
    let server = Server::start_with(&["greylist"]).await;
    let mut client = greeted(&server).await;
    // More than the refusals that a client may cause on one connection.
    for number in 0..30 {
        let to = format!("b{number}@x.org");
        assert!(sends(&mut client, &to).await.starts_with("451 4.7.1 "));
        assert!(
            sends(&mut client, &to.to_uppercase())
                .await
                .starts_with("250 ")
        );
    }
    assert_eq!(server.emails("").await.len(), 30);
}

#[tokio::test]
async fn refuses_the_sender_as_often_as_asked() {
    let server = Server::start_with(&["refuse_sender:2"]).await;
    let mut client = greeted(&server).await;
    for expected in ["550 5.7.1 ", "550 5.7.1 ", "250 "] {
        let reply = sends(&mut client, "b@x.org").await;
        assert!(reply.starts_with(expected), "{reply}");
    }
}

#[tokio::test]
async fn knows_one_address_not_and_all_others() {
    let server = Server::start_with(&["unknown_recipient:Bob@x.org"]).await;
    let mut client = greeted(&server).await;
    for (to, expected) in [
        ("bob@x.org", "550 5.1.1 "),
        ("ann@x.org", "250 "),
        ("bob@x.org", "550 5.1.1 "),
    ] {
        let reply = sends(&mut client, to).await;
        assert!(reply.starts_with(expected), "{reply}");
    }
}

#[tokio::test]
async fn refuses_credentials_and_who_has_none() {
    let server = Server::start_with(&["refuse_auth:2"]).await;
    let mut client = greeted(&server).await;
    assert!(
        sends(&mut client, "b@x.org")
            .await
            .starts_with("535 5.7.8 ")
    );

    let mailer =
        lettre::AsyncSmtpTransport::<lettre::Tokio1Executor>::builder_dangerous("127.0.0.1")
            .port(server.smtp.port())
            .credentials(Credentials::new("ann".to_owned(), "secret".to_owned()))
            .build();
    let refused = mailer.send(order_mail("o-1", "one")).await.unwrap_err();
    assert_eq!(refused.status().map(u16::from), Some(535));
    mailer.send(order_mail("o-1", "two")).await.unwrap();
    assert_eq!(server.emails("").await.len(), 1);
}

#[tokio::test]
async fn takes_its_time_and_still_stops_at_once() {
    let server = Server::start_with(&["slow:200"]).await;
    let begun = Instant::now();
    let mut client = greeted(&server).await;
    assert!(
        begun.elapsed() >= Duration::from_millis(400),
        "greeting and HELO"
    );

    server
        .put_faults(&json!({ "faults": ["slow:600000"] }))
        .await;
    client.write(b"NOOP\r\n").await;
    server.tell_to_stop();
    server.stopped().await.unwrap();
}

#[tokio::test]
async fn is_broken_and_mended_while_it_runs() {
    let server = Server::start().await;
    let faults = json!({ "faults": ["greylist:1", "refuse_sender"] });
    let put = server.put_faults(&faults).await;
    assert_eq!(put.status(), StatusCode::OK);
    let get = server.get("/faults").await;
    assert_eq!(get.json::<Value>().await.unwrap(), faults);
    // A connection from before knows it too.
    let mut client = greeted(&server).await;
    assert!(sends(&mut client, "b@x.org").await.starts_with("550 "));
    let deleted = server.request(Method::DELETE, "/faults").await;
    assert_eq!(
        deleted.json::<Value>().await.unwrap(),
        json!({ "faults": [] })
    );
    assert!(sends(&mut client, "b@x.org").await.starts_with("250 "));
}

#[tokio::test]
async fn says_what_is_wrong_with_faults_and_keeps_those_there_are() {
    let server = Server::start_with(&["refuse_sender"]).await;
    let put = server.put_faults(&json!({ "faults": ["broken"] })).await;
    assert_eq!(put.status(), StatusCode::BAD_REQUEST);
    let answer: Value = put.json().await.unwrap();
    let message = answer["error"].as_str().unwrap();
    assert!(message.contains("is not one of greylist"), "{message}");
    let mut client = greeted(&server).await;
    assert!(sends(&mut client, "b@x.org").await.starts_with("550 "));
}
