//! Passing a service's answer on to the caller as it is.

use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse, Response};

use crate::clients::Answer;

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        // Only what belongs to the answer: `traceresponse`, for one, is about the hop and not about the order.
        for name in [CONTENT_TYPE, LOCATION] {
            if let Some(value) = self.headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }
}
