//! What a producer, a broker and a consumer must do together, written once and run for each broker.
//!
//! A broker is taken from outside when its address is set (`KAFKA_BROKERS`, `AWS_ENDPOINT_URL_SQS`,
//! `PUBSUB_EMULATOR_HOST`), and is otherwise the stand-in.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broker;
mod cases;
mod handler;
mod kafka;
mod partitions;
mod pubsub;
mod sqs;

/// One test per case for one broker: the runner then names the case and the broker that failed.
macro_rules! conformance {
    ($module:ident, $broker:ty) => {
        mod $module {
            use crate::cases;

            #[tokio::test]
            async fn context_and_baggage_cross() {
                cases::context_and_baggage_cross::<$broker>().await;
            }

            #[tokio::test]
            async fn a_message_without_context_begins_a_trace() {
                cases::a_message_without_context_begins_a_trace::<$broker>().await;
            }

            #[tokio::test]
            async fn retry_comes_again_with_the_next_attempt() {
                cases::retry_comes_again_with_the_next_attempt::<$broker>().await;
            }

            #[tokio::test]
            async fn reject_is_dead_lettered_and_the_next_message_is_processed() {
                cases::reject_is_dead_lettered_and_the_next_message_is_processed::<$broker>().await;
            }

            #[tokio::test]
            async fn attempts_are_bounded() {
                cases::attempts_are_bounded::<$broker>().await;
            }

            #[tokio::test]
            async fn garbage_does_not_stop_the_loop() {
                cases::garbage_does_not_stop_the_loop::<$broker>().await;
            }

            #[tokio::test]
            async fn shutdown_finishes_what_is_in_hand() {
                cases::shutdown_finishes_what_is_in_hand::<$broker>().await;
            }

            #[tokio::test]
            async fn shutdown_has_a_deadline_and_what_it_cuts_off_comes_again() {
                cases::shutdown_has_a_deadline_and_what_it_cuts_off_comes_again::<$broker>().await;
            }

            #[tokio::test]
            async fn two_consumers_share_the_work() {
                cases::two_consumers_share_the_work::<$broker>().await;
            }

            #[tokio::test]
            async fn a_consumer_that_dies_loses_nothing() {
                cases::a_consumer_that_dies_loses_nothing::<$broker>().await;
            }

            #[tokio::test]
            async fn a_batch_has_one_receive_span_with_a_link_for_each_message() {
                cases::a_batch_has_one_receive_span_with_a_link_for_each_message::<$broker>().await;
            }
        }
    };
}

conformance!(on_kafka, crate::kafka::Kafka);
conformance!(on_sqs, crate::sqs::Sqs);
conformance!(on_pubsub, crate::pubsub::PubSub);
