//! The HTTP side: `MailDev`'s REST API for tests, a page for people.

mod api;
mod faults;
mod page;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get};

use crate::faults::Faults;
use crate::mailbox::Mailbox;

pub(crate) fn router(mailbox: Arc<Mailbox>, faults: Arc<Faults>) -> Router {
    let switches = get(faults::list).put(faults::put).delete(faults::delete);
    let switches = Router::new().route("/faults", switches);
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
