//! The tables: one per way an order can end.
//!
//! Read a row as: this span, of this service and kind, hangs on that row.
//! Unless it says otherwise there is exactly one under each span of that row, it succeeds, and its context travels
//! within the process.

use super::table::Edge::{ChildAndLinkOf, ChildOf, LinkOf, Root};
use super::table::Transport::{Http, Kafka, Outbox, PubSub, Sqs};
use super::table::{Attribute, Count, Row, Scenario, any, is, number, row};
use crate::span::Kind::{Client, Consumer, Internal, Producer, Server};

/// Everything is in stock: the order is confirmed.
pub static HAPPY: Scenario = Scenario {
    name: "happy",
    chapters: &[
        ORDER_ACCEPTED,
        JOB_QUEUED,
        ORDER_CLASSIFIED,
        STOCK_RESERVED,
        CUSTOMER_TOLD,
    ],
};

/// An item is short: what was reserved is released, and the order is rejected.
pub static NO_STOCK: Scenario = Scenario {
    name: "no stock",
    chapters: &[
        ORDER_ACCEPTED,
        JOB_QUEUED,
        ORDER_CLASSIFIED,
        STOCK_REFUSED,
        CUSTOMER_TOLD,
    ],
};

/// The classifier calls the order suspicious: nothing is reserved, and a person looks at it.
pub static SUSPICIOUS: Scenario = Scenario {
    name: "suspicious",
    chapters: &[ORDER_ACCEPTED, JOB_QUEUED, ORDER_CLASSIFIED, CUSTOMER_TOLD],
};

/// As [`HAPPY`], with `MESSAGING_TRACE_RELATION=link`: each message begins a trace that is linked to its sender.
pub static LINKED: Scenario = Scenario {
    name: "linked",
    chapters: &[
        ORDER_ACCEPTED,
        JOB_QUEUED_BY_LINK,
        ORDER_CLASSIFIED,
        STOCK_RESERVED,
        CUSTOMER_TOLD_BY_LINK,
    ],
};

impl Scenario {
    /// The scenario of an order that ended with `status`; `None` for a status that has no table.
    pub fn of_status(status: &str) -> Option<&'static Self> {
        match status {
            "confirmed" => Some(&HAPPY),
            "rejected" => Some(&NO_STOCK),
            "in_review" => Some(&SUSPICIOUS),
            _ => None,
        }
    }
}

const SQL: &[Attribute] = &[is("db.system.name", "postgresql"), any("db.query.text")];
const KAFKA: &[Attribute] = &[
    is("messaging.system", "kafka"),
    is("messaging.destination.name", "order.created"),
];
const SQS: &[Attribute] = &[
    is("messaging.system", "aws_sqs"),
    is("messaging.destination.name", "classification-jobs"),
];
const PUBSUB: &[Attribute] = &[
    is("messaging.system", "gcp_pubsub"),
    is("messaging.destination.name", "order.classified"),
];
const EMBEDDINGS: &[Attribute] = &[
    is("gen_ai.operation.name", "embeddings"),
    any("gen_ai.request.model"),
];
const SMTP: &[Attribute] = &[any("server.address")];
const CREATED: &[Attribute] = &[number("http.response.status_code", 201)];
const REFUSED: &[Attribute] = &[any("error.type")];

// Aligned by hand: these are tables, and the eye should run down their columns.

#[rustfmt::skip]
const ORDER_ACCEPTED: &[Row] = &[
    //  id               span                            service       kind      hangs on
    row("request",       "POST /orders",                 "gateway",    Server,   Root).has(CREATED),
    row("forward",       "POST",                         "gateway",    Client,   ChildOf("request")).has(CREATED),
    row("place",         "POST /orders",                 "orders",     Server,   ChildOf("forward")).over(Http).has(CREATED),
    row("insert order",  "INSERT orders",                "orders",     Client,   ChildOf("place")).has(SQL),
    row("insert items",  "INSERT order_items",           "orders",     Client,   ChildOf("place")).has(SQL),
    row("insert outbox", "INSERT outbox",                "orders",     Client,   ChildOf("place")).has(SQL),
];

#[rustfmt::skip]
const JOB_QUEUED: &[Row] = &[
    row("send created",  "send order.created",           "orders",     Producer, ChildOf("place")).over(Outbox).has(KAFKA),
    row("take created",  "process order.created",        "classifier", Consumer, ChildAndLinkOf("send created")).over(Kafka).has(KAFKA),
    row("send job",      "send classification-jobs",     "classifier", Producer, ChildOf("take created")).has(SQS),
    row("take job",      "process classification-jobs",  "classifier", Consumer, ChildAndLinkOf("send job")).over(Sqs).has(SQS),
];

#[rustfmt::skip]
const ORDER_CLASSIFIED: &[Row] = &[
    row("classify",      "classify order",               "classifier", Internal, ChildOf("take job")),
    row("embed",         "embeddings <model>",           "classifier", Client,   ChildOf("classify")).has(EMBEDDINGS),
    row("ask model",     "POST",                         "classifier", Client,   ChildOf("embed")),
];

#[rustfmt::skip]
const STOCK_RESERVED: &[Row] = &[
    row("ask stock",     "POST",                          "classifier", Client,  ChildOf("classify")).times(Count::SOME),
    row("reserve",       "POST /stock/{item_id}/reserve", "inventory",  Server,  ChildOf("ask stock")).over(Http),
    row("reservation",   "INSERT reservations",           "inventory",  Client,  ChildOf("reserve")).has(SQL),
    row("take stock",    "UPDATE stock",                  "inventory",  Client,  ChildOf("reserve")).has(SQL).once(),
    row("look taken",    "SELECT reservations",           "inventory",  Client,  ChildOf("reserve")).has(SQL).times(Count::OPTIONAL).only_in_a_repeat(),
];

#[rustfmt::skip]
const STOCK_REFUSED: &[Row] = &[
    row("ask in vain",   "POST",                          "classifier", Client,  ChildOf("classify")).only(REFUSED).fails(),
    row("refuse",        "POST /stock/{item_id}/reserve", "inventory",  Server,  ChildOf("ask in vain")).over(Http),
    row("try insert",    "INSERT reservations",           "inventory",  Client,  ChildOf("refuse")).has(SQL),
    row("try update",    "UPDATE stock",                  "inventory",  Client,  ChildOf("refuse")).has(SQL).times(Count::OPTIONAL),
    row("mark refused",  "UPDATE reservations",           "inventory",  Client,  ChildOf("refuse")).has(SQL).times(Count::OPTIONAL),
    row("look before",   "SELECT reservations",           "inventory",  Client,  ChildOf("refuse")).has(SQL).times(Count::OPTIONAL),
    row("ask stock",     "POST",                          "classifier", Client,  ChildOf("classify")).times(Count::ANY),
    row("reserve",       "POST /stock/{item_id}/reserve", "inventory",  Server,  ChildOf("ask stock")).over(Http).times(Count::OPTIONAL),
    row("reservation",   "INSERT reservations",           "inventory",  Client,  ChildOf("reserve")).has(SQL),
    row("take stock",    "UPDATE stock",                  "inventory",  Client,  ChildOf("reserve")).has(SQL).once(),
    row("look taken",    "SELECT reservations",           "inventory",  Client,  ChildOf("reserve")).has(SQL).times(Count::OPTIONAL).only_in_a_repeat(),
    row("release",       "POST /stock/{item_id}/release", "inventory",  Server,  ChildOf("ask stock")).over(Http).times(Count::OPTIONAL),
    row("tombstone",     "INSERT reservations",           "inventory",  Client,  ChildOf("release")).has(SQL),
    row("withdraw",      "UPDATE reservations",           "inventory",  Client,  ChildOf("release")).has(SQL),
    row("put back",      "UPDATE stock",                  "inventory",  Client,  ChildOf("release")).has(SQL).once(),
    row("answer",        "SELECT reservations",           "inventory",  Client,  ChildOf("release")).has(SQL),
];

#[rustfmt::skip]
const CUSTOMER_TOLD: &[Row] = &[
    row("send result",   "send order.classified",        "classifier", Producer, ChildOf("classify")).has(PUBSUB),
    row("orders hears",  "process order.classified",     "orders",     Consumer, ChildAndLinkOf("send result")).over(PubSub).has(PUBSUB),
    row("update order",  "UPDATE orders",                "orders",     Client,   ChildOf("orders hears")).has(SQL).ends_the_story(),
    row("look order",    "SELECT orders",                "orders",     Client,   ChildOf("orders hears")).has(SQL).times(Count::OPTIONAL).only_in_a_repeat(),
    row("look items",    "SELECT order_items",           "orders",     Client,   ChildOf("orders hears")).has(SQL).times(Count::OPTIONAL).only_in_a_repeat(),
    row("email hears",   "process order.classified",     "email",      Consumer, ChildAndLinkOf("send result")).over(PubSub).has(PUBSUB),
    row("insert email",  "INSERT emails",                "email",      Client,   ChildOf("email hears")).has(SQL),
    row("send mail",     "send mail",                    "email",      Client,   ChildOf("email hears")).has(SMTP).ends_the_story().once(),
];

#[rustfmt::skip]
const JOB_QUEUED_BY_LINK: &[Row] = &[
    row("send created",  "send order.created",           "orders",     Producer, ChildOf("place")).over(Outbox).has(KAFKA),
    row("take created",  "process order.created",        "classifier", Consumer, LinkOf("send created")).over(Kafka).has(KAFKA),
    row("send job",      "send classification-jobs",     "classifier", Producer, ChildOf("take created")).has(SQS),
    row("take job",      "process classification-jobs",  "classifier", Consumer, LinkOf("send job")).over(Sqs).has(SQS),
];

#[rustfmt::skip]
const CUSTOMER_TOLD_BY_LINK: &[Row] = &[
    row("send result",   "send order.classified",        "classifier", Producer, ChildOf("classify")).has(PUBSUB),
    row("orders hears",  "process order.classified",     "orders",     Consumer, LinkOf("send result")).over(PubSub).has(PUBSUB),
    row("update order",  "UPDATE orders",                "orders",     Client,   ChildOf("orders hears")).has(SQL).ends_the_story(),
    row("look order",    "SELECT orders",                "orders",     Client,   ChildOf("orders hears")).has(SQL).times(Count::OPTIONAL).only_in_a_repeat(),
    row("look items",    "SELECT order_items",           "orders",     Client,   ChildOf("orders hears")).has(SQL).times(Count::OPTIONAL).only_in_a_repeat(),
    row("email hears",   "process order.classified",     "email",      Consumer, LinkOf("send result")).over(PubSub).has(PUBSUB),
    row("insert email",  "INSERT emails",                "email",      Client,   ChildOf("email hears")).has(SQL),
    row("send mail",     "send mail",                    "email",      Client,   ChildOf("email hears")).has(SMTP).ends_the_story().once(),
];
