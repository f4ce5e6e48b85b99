use tokio_util::sync::CancellationToken;

use crate::embeddings_api::Moody;
use crate::helpers::World;

/// Why the service does not start beside this embeddings API.
async fn refusal(world: &World, embeddings: &str) -> String {
    let config = world.config(embeddings);
    let listener = web::bind(config.listen_addr).await.unwrap();
    let ended = classifier::run(config, listener, CancellationToken::new()).await;
    format!("{:#}", ended.unwrap_err())
}

#[tokio::test]
async fn refuses_to_start_beside_an_embeddings_api_that_fails_or_answers_nonsense() {
    let world = World::start().await;
    let embeddings = Moody::start().await;
    for (status, body, reason) in [
        (500, "no", "500 Internal Server Error"),
        (200, "<html>", "reading the embeddings"),
        (200, r#"{"model": "m", "data": []}"#, "but 0 embeddings"),
    ] {
        embeddings.answer(status, body);
        let line = refusal(&world, &embeddings.url).await;
        let expected = format!(
            "the embeddings API at {} (OPENAI_BASE_URL) was not ready within 1 s (STARTUP_TIMEOUT_SECONDS): ",
            embeddings.url
        );
        assert!(line.starts_with(&expected), "{line}");
        assert!(line.contains(reason), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

#[tokio::test]
async fn names_the_broker_that_is_not_there() {
    let embeddings = Moody::start().await;
    let world = World::start().await;
    world.pubsub.stop();
    let line = refusal(&world, &embeddings.url).await;
    assert!(line.starts_with("Pub/Sub at "), "{line}");
    assert!(line.contains("(PUBSUB_EMULATOR_HOST)"), "{line}");
    world.sqs.stop();
    let line = refusal(&world, &embeddings.url).await;
    assert!(line.starts_with("SQS at "), "{line}");
    assert!(line.contains("(AWS_ENDPOINT_URL_SQS)"), "{line}");
}
