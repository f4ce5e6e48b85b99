//! What only Pub/Sub has: a topic that retains messages, for subscriptions that are created after they were published.
//!
//! The emulator, and so our stand-in, hands them over at once; Google's service only after a seek.

use std::rc::Rc;

use crate::pubsub::PubSub;
use crate::run::{beside_a_consumer, send};

pub(crate) async fn a_retaining_topic_hands_what_came_before_to_a_new_subscription(
    server: Rc<PubSub>,
) {
    let topic = server.unheard(Some("600s")).await;
    send(&*topic, "before").await;
    topic.subscribe().await;
    beside_a_consumer(topic, async |run| {
        assert_eq!(run.next().await.id, "before");
    })
    .await;
}

pub(crate) async fn a_plain_topic_hands_only_what_comes_after_to_a_new_subscription(
    server: Rc<PubSub>,
) {
    let topic = server.unheard(None).await;
    send(&*topic, "before").await;
    topic.subscribe().await;
    beside_a_consumer(topic, async |run| {
        run.send("after").await;
        assert_eq!(run.next().await.id, "after");
    })
    .await;
}
