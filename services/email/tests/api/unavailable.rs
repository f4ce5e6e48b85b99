use telemetry::testing::attribute;

use crate::helpers::{TestApp, ended};
use crate::smtp::{GREETING, Smtp};

/// More than the settings allow for what may be a mail's fault.
const FAILURES: usize = 3;

/// The next mail is sent, once, although that many attempts fail before.
async fn assert_tried_again(app: &TestApp, smtp: &Smtp, error_type: &str) {
    // It begins with a new connection.
    smtp.answer_first(1, "RSET", "421 4.4.2 idle for too long");
    let (failed, sent) = (failures(app, error_type), smtp.mails().len());
    let event = ended("confirmed");
    app.order_ended(&[&event]).await;
    app.until_sent(&event).await;
    assert_eq!(failures(app, error_type), failed + FAILURES, "{error_type}");
    assert_eq!(smtp.mails().len(), sent + 1);
}

fn failures(app: &TestApp, error_type: &str) -> usize {
    let spans = app.recorder.spans().into_iter();
    let mails = spans.filter(|span| span.name == "send mail");
    mails
        .filter(|span| attribute(span, "error.type").as_deref() == Some(error_type))
        .count()
}

#[tokio::test]
async fn what_the_server_has_against_us_is_not_the_fault_of_a_mail() {
    let smtp = Smtp::start().await;
    let app = TestApp::spawn_beside(&smtp).await;
    for (command, reply) in [
        (GREETING, "554 5.3.2 no mail here"),
        ("EHLO", "550 5.7.1 not you"),
        ("MAIL", "550 5.7.1 not from you"),
        ("MAIL", "451 4.3.0 not now"),
        ("RCPT", "421 4.3.2 closing"),
        ("RCPT", "530 5.7.0 authentication required"),
        ("RCPT", "452 4.3.1 no room"),
        ("DATA", "552 5.3.1 no room"),
    ] {
        smtp.answer_first(FAILURES, command, reply);
        assert_tried_again(&app, &smtp, &reply[..3]).await;
    }
    assert_eq!(app.count("send order.ended.dlt"), 0);
}

#[tokio::test]
async fn a_login_that_is_refused_is_not_the_fault_of_a_mail() {
    let smtp = Smtp::start().await;
    let url = format!("smtp://jane:hunter2@{}", smtp.address);
    let app = TestApp::spawn_with(&url, &[]).await;
    for reply in ["535 5.7.8 wrong password", "454 4.7.0 not now"] {
        smtp.answer_first(FAILURES, "AUTH", reply);
        assert_tried_again(&app, &smtp, &reply[..3]).await;
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_before_it_has_the_mail_gets_it_again() {
    let smtp = Smtp::start().await;
    let app = TestApp::spawn_beside(&smtp).await;
    for command in [GREETING, "MAIL", "RCPT", "DATA"] {
        smtp.hang_up_first(FAILURES, command);
        assert_tried_again(&app, &smtp, "connection").await;
    }
}

#[tokio::test]
async fn a_server_that_takes_no_mail_of_ours_is_waited_for() {
    let smtp = Smtp::start().await;
    smtp.answer("MAIL", "550 5.7.1 not from you");
    let app = TestApp::spawn_beside(&smtp).await;
    app.order_ended(&[&ended("confirmed")]).await;
    // More often than the settings allow.
    app.until_processed(10).await;
    assert_eq!(app.count("send order.ended.dlt"), 0);
}
