//! The HTTP side: `MailDev`'s REST API for tests, a page for people.

mod api;
mod page;

use std::sync::Arc;

use axum::Router;
use axum::response::IntoResponse as _;
use axum::routing::{delete, get};
use standin::faults::{Faults, switches};

use crate::faults::Fault;
use crate::mailbox::Mailbox;

pub(crate) fn router(mailbox: Arc<Mailbox>, faults: Arc<Faults<Fault>>) -> Router {
    let refuse = |error| api::ApiError::BadFaults(error).into_response();
    let switches = Router::new().route("/faults", switches(refuse));
    Router::new()
        .route("/", get(page::list))
        .route("/message/{id}", get(page::message))
        .route("/healthz", get(api::health))
        .route("/email", get(api::list))
        .route("/email/all", delete(api::delete_all))
        .route("/email/{id}", get(api::get).delete(api::delete))
        .route("/email/{id}/source", get(api::source))
        .with_state(mailbox)
        .merge(switches.with_state(faults))
}
