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
    site.stop().await
}

/// A token lasts ten seconds: whoever does not ask for the next one is thrown out.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_the_readers_words() -> anyhow::Result<()> {
    let site = Site::start().await?;
    for (service, setting, value, expected) in [
        ("orders", "KAFKA_SASL_PASSWORD", "wrong", "authentication"),
        ("orders", "DATABASE_URL", &*site.postgres.url_without_authority("orders"), "certificate"),
        ("email", "SSL_CERT_FILE", "/dev/null", "certificate"),
    ] {
        let said = site.refusal(service, setting, value, expected).await?;
        assert!(said.to_lowercase().contains(expected), "{setting}: {said}");
    }
    site.stop().await
}
