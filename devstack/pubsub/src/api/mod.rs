//! The operations of `google.pubsub.v1`: a request message in, an answer or an error out.
//!
//! Both doors, [`crate::grpc`] and [`crate::rest`], lead here.

#![allow(
    clippy::needless_pass_by_value,
    reason = "all operations have one signature, so that a table of routes can hold them"
)]

pub(crate) mod publisher;
pub(crate) mod streaming_pull;
pub(crate) mod subscriber;

mod paging;

use crate::error::Error;
use crate::proto::{PubsubMessage, ReceivedMessage};
use crate::subscription::{AckId, Delivery};

/// All ids or none: one that this server cannot have given out refuses the request.
fn parse_ack_ids(ids: &[String]) -> Result<Vec<AckId>, Error> {
    ids.iter().map(|id| id.parse()).collect()
}

fn received(delivery: &Delivery) -> ReceivedMessage {
    ReceivedMessage {
        ack_id: delivery.ack_id.to_string(),
        message: Some(PubsubMessage::clone(&delivery.message)),
        delivery_attempt: delivery
            .attempt
            .map_or(0, |attempt| i32::try_from(attempt).unwrap_or(i32::MAX)),
    }
}
