//! One order over servers that ask for TLS, and for who one is: its trace is whole, and nothing went in the clear.
//!
//! The servers are the real ones, as processes: Apache Kafka, PostgreSQL, Jaeger as the Collector, and the mail server of
//! Nodemailer. SQS, Pub/Sub and embeddings are those of `STACK`: their emulators have no TLS.

mod certificates;
mod kafka;
mod postgres;
mod process;
mod site;
mod tokens;

use contract::scenarios::HAPPY;
use contract::wait_until_whole;

use crate::process::PATIENCE;
use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_over_tls_everywhere_is_one_whole_trace() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    what_is_wrong_is_said(&site).await?;
    site.start_services().await?;
    let (order_id, trace_id) = site.order().await?;
    site.reaches(&order_id, "confirmed").await?;

    let story = wait_until_whole(&site.jaeger, trace_id, |_| &HAPPY, PATIENCE).await;
    story.map_err(|broken| anyhow::anyhow!("{broken}"))?;

    let mail = site.mail().await?;
    assert_eq!(mail["tls"], true, "{mail}");
    assert_eq!(mail["user"], "email", "{mail}");
    assert!(mail["text"].as_str().unwrap().contains(&order_id), "{mail}");

    let (secured, plain) = site.postgres.connections().await?;
    assert!(secured > 0, "services have connections");
    assert_eq!(plain, 0, "no service has one without TLS");
    site.renews_its_token().await?;
    site.stop().await
}

/// Whoever starts a service with it must find out what it is.
async fn what_is_wrong_is_said(site: &Site) -> anyhow::Result<()> {
    let strangers = site.postgres.url_without_authority("inventory");
    for (setting, value, expected) in [
        ("KAFKA_SASL_PASSWORD", "wrong", "authentication failed"),
        (
            "KAFKA_SSL_CA_LOCATION",
            "/etc/ssl/certs/ca-certificates.crt",
            "certificate verify failed",
        ),
        ("DATABASE_URL", &strangers, "certificate"),
    ] {
        site.refuses("inventory", setting, value, expected).await?;
    }
    Ok(())
}
