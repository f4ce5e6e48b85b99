//! Orders over HTTP.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use domain::{Category, CustomerId, NewOrder, Note, OrderId, OrderLines, OrderStatus, Outcome};
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Deserializer, Serialize};
use web::{Json, Path, Query};

use super::error::Error;
use super::idempotency_key::OptionalKey;
use crate::decision::Decision;
use crate::order::Order;
use crate::orders::{Change, Orders, Placed};

/// An order as callers see it.
#[derive(Serialize)]
pub(super) struct OrderBody {
    order_id: OrderId,
    customer_id: CustomerId,
    status: OrderStatus,
    category: Option<Category>,
    /// Why it has its status.
    reason: Option<String>,
    items: OrderLines,
    note: Note,
    /// Minor units.
    total: i64,
    trace_id: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Order> for OrderBody {
    fn from(order: Order) -> Self {
        Self {
            order_id: order.id,
            customer_id: order.customer_id,
            status: order.status,
            category: order.category,
            reason: order.reason,
            total: order.lines.total(),
            items: order.lines,
            note: order.note,
            trace_id: order.trace_id,
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default)]
    limit: Limit,
}

/// How many orders a list has: 1 to 200.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
struct Limit(i64);

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

impl TryFrom<i64> for Limit {
    type Error = String;

    fn try_from(limit: i64) -> Result<Self, String> {
        if (1..=200).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(format!("limit must be between 1 and 200, not {limit}"))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct NewStatus {
    #[serde(deserialize_with = "word")]
    status: Outcome,
}

/// Of an enum, serde would also take `{"confirmed": null}`.
fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Outcome, D::Error> {
    let word = String::deserialize(deserializer)?;
    Outcome::deserialize(word.into_deserializer())
}

pub(super) async fn place(
    State(orders): State<Orders>,
    OptionalKey(key): OptionalKey,
    Json(new): Json<NewOrder>,
) -> Result<impl IntoResponse, Error> {
    match orders.place(new, key.as_ref()).await? {
        Placed::Accepted(order) => {
            let location = [(LOCATION, format!("/orders/{}", order.id))];
            Ok((StatusCode::CREATED, location, Json(OrderBody::from(order))))
        }
        Placed::KeyOfAnother => Err(Error::KeyOfAnother),
    }
}

pub(super) async fn get(
    State(orders): State<Orders>,
    Path(id): Path<OrderId>,
) -> Result<Json<OrderBody>, Error> {
    let order = orders.get(id).await?.ok_or(Error::UnknownOrder)?;
    Ok(Json(order.into()))
}

pub(super) async fn list(
    State(orders): State<Orders>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<OrderBody>>, Error> {
    let orders = orders.find_newest(page.limit.0).await?;
    Ok(Json(orders.into_iter().map(OrderBody::from).collect()))
}

pub(super) async fn list_one_by_one(
    State(orders): State<Orders>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<OrderBody>>, Error> {
    let orders = orders.find_newest_one_by_one(page.limit.0).await?;
    Ok(Json(orders.into_iter().map(OrderBody::from).collect()))
}

/// A person's decision.
pub(super) async fn change_status(
    State(orders): State<Orders>,
    Path(id): Path<OrderId>,
    Json(new): Json<NewStatus>,
) -> Result<StatusCode, Error> {
    telemetry::set_attribute("orderflow.order.id", id.to_string());
    // A client that hangs up takes nothing back: what follows the decision, the link of its trace too, is done all the same.
    let decision = Decision::by_person(new.status);
    let deciding = async move { orders.decide(id, &decision).await };
    match web::uncancelled(deciding).await? {
        Change::Made => {
            tracing::info!(order_id = %id, outcome = new.status.as_str(), "order decided by a person");
            Ok(StatusCode::NO_CONTENT)
        }
        Change::AsBefore => Ok(StatusCode::NO_CONTENT),
        Change::Refused(status) => Err(Error::Refused(status)),
        Change::UnknownOrder => Err(Error::UnknownOrder),
    }
}
