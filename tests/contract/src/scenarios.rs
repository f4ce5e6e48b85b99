//! The tables: one per way an order can end.
//!
//! Read a row as: this span, of this service and kind, hangs on that row.
//! Unless it says otherwise there is exactly one under each span of that row, it succeeds, and its context travels
//! within the process.

use crate::table::Edge::{ChildAndLinkOf, ChildOf, LinkOf, MessageOf, Root};
use crate::table::Transport::{Http, Kafka, Outbox, PubSub, Sqs};
use crate::table::{Attribute, Count, Relation, Row, Scenario, any, is, number, row};
use story::Kind::{Client, Consumer, Internal, Producer, Server};

/// Everything is in stock: the order is confirmed.
pub static HAPPY: Scenario = Scenario {
    name: "happy",
    relation: Relation::Parent,
    chapters: HELD,
};

/// An item is short: nothing is held, and the order is rejected.
pub static NO_STOCK: Scenario = Scenario {
    name: "no stock",
    relation: Relation::Parent,
    chapters: SHORT,
};

/// The classifier calls the order suspicious: its stock is held, and a person looks at it.
pub static SUSPICIOUS: Scenario = Scenario {
    name: "suspicious",
    relation: Relation::Parent,
    chapters: HELD,
};

/// As [`SUSPICIOUS`], and then a person decides, in a trace that is linked to the order's.
pub static DECIDED: Scenario = Scenario {
    name: "decided by a person",
    relation: Relation::Parent,
    chapters: &[
        ORDER_ACCEPTED,
        JOB_QUEUED,
        JOB_TAKEN,
        ORDER_CLASSIFIED,
        STOCK_HELD,
        ORDER_DECIDED,
        PERSON_DECIDED,
    ],
};

/// The embeddings API refuses the order's text a few times, and then takes it: as [`HAPPY`] after that.
pub static RETRIED: Scenario = Scenario {
    name: "retry, then success",
    relation: Relation::Parent,
    chapters: &[
        ORDER_ACCEPTED,
        JOB_QUEUED,
        JOB_FAILED,
        JOB_TAKEN,
        ORDER_CLASSIFIED,
        STOCK_HELD,
        ORDER_DECIDED,
    ],
};

/// The embeddings API refuses the order's text each time: the job is a dead letter, and the order has failed.
pub static DEAD_LETTER: Scenario = Scenario {
    name: "dead letter",
    relation: Relation::Parent,
    chapters: &[ORDER_ACCEPTED, JOB_QUEUED, JOB_FAILED, GIVEN_UP],
};

/// As [`DEAD_LETTER`], with `MESSAGING_TRACE_RELATION=link`.
pub static DEAD_LETTER_LINKED: Scenario = Scenario {
    name: "dead letter, linked",
    relation: Relation::Link,
    chapters: &[ORDER_ACCEPTED, JOB_QUEUED, JOB_FAILED, GIVEN_UP],
};

/// As [`DEAD_LETTER`], and then the job is redriven in a trace that is linked to the letter, and the order goes on.
pub static REDRIVEN: Scenario = Scenario {
    name: "dead letter, then redriven",
    relation: Relation::Parent,
    chapters: &[
        ORDER_ACCEPTED,
        JOB_QUEUED,
        JOB_FAILED,
        GIVEN_UP,
        JOB_REDRIVEN,
        ORDER_CLASSIFIED,
        STOCK_HELD,
        ORDER_DECIDED,
    ],
};

/// As [`HAPPY`], with `MESSAGING_TRACE_RELATION=link`: each message begins a trace that is linked to its sender.
pub static LINKED: Scenario = Scenario {
    name: "linked",
    relation: Relation::Link,
    chapters: HELD,
};

/// As [`NO_STOCK`], with `MESSAGING_TRACE_RELATION=link`.
pub static NO_STOCK_LINKED: Scenario = Scenario {
    name: "no stock, linked",
    relation: Relation::Link,
    chapters: SHORT,
};

impl Scenario {
    /// The scenario of an order that the services have ended with `status`; `None` for a status that has no table.
    pub fn of_status(status: &str, relation: Relation) -> Option<&'static Self> {
        match (status, relation) {
            ("confirmed", Relation::Parent) => Some(&HAPPY),
            ("rejected", Relation::Parent) => Some(&NO_STOCK),
            ("in_review", Relation::Parent) => Some(&SUSPICIOUS),
            ("confirmed" | "in_review", Relation::Link) => Some(&LINKED),
            ("rejected", Relation::Link) => Some(&NO_STOCK_LINKED),
            ("failed", Relation::Parent) => Some(&DEAD_LETTER),
            ("failed", Relation::Link) => Some(&DEAD_LETTER_LINKED),
            _ => None,
        }
    }
}

const HELD: &[&[Row]] = &[
    ORDER_ACCEPTED,
    JOB_QUEUED,
    JOB_TAKEN,
    ORDER_CLASSIFIED,
    STOCK_HELD,
    ORDER_DECIDED,
];
const SHORT: &[&[Row]] = &[
    ORDER_ACCEPTED,
    JOB_QUEUED,
    JOB_TAKEN,
    ORDER_CLASSIFIED,
    STOCK_REFUSED,
    ORDER_DECIDED,
];

const SQL: &[Attribute] = &[is("db.system.name", "postgresql"), any("db.query.text")];
const ORDER_CREATED: &[Attribute] = &[
    is("messaging.system", "kafka"),
    is("messaging.destination.name", "order.created"),
];
const ORDER_ENDED: &[Attribute] = &[
    is("messaging.system", "kafka"),
    is("messaging.destination.name", "order.ended"),
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
const FAILED: &[Attribute] = &[any("error.type")];
const LETTER: &[Attribute] = &[
    is("messaging.system", "aws_sqs"),
    is("messaging.destination.name", "classification-jobs-dlq"),
];

// Aligned by hand: these are tables, and the eye should run down their columns.

#[rustfmt::skip]
const ORDER_ACCEPTED: &[Row] = &[
    //  id               span                            service       kind      hangs on
    row("request",       "POST /orders",                 "gateway",    Server,   Root).has(CREATED),
    row("forward",       "POST",                         "gateway",    Client,   ChildOf("request")).has(CREATED),
    row("place",         "POST /orders",                 "orders",     Server,   ChildOf("forward")).over(Http).has(CREATED),
    row("insert order",  "INSERT orders",                "orders",     Client,   ChildOf("place")).has(SQL),
];

#[rustfmt::skip]
const JOB_QUEUED: &[Row] = &[
    row("send created",  "send order.created",           "orders",     Producer, ChildOf("place")).over(Outbox).has(ORDER_CREATED),
    row("take created",  "process order.created",        "classifier", Consumer, MessageOf("send created")).over(Kafka).has(ORDER_CREATED),
    row("send job",      "send classification-jobs",     "classifier", Producer, ChildOf("take created")).has(SQS),
];

#[rustfmt::skip]
const JOB_TAKEN: &[Row] = &[
    row("take job",      "process classification-jobs",  "classifier", Consumer, MessageOf("send job")).over(Sqs).has(SQS),
];

#[rustfmt::skip]
const JOB_FAILED: &[Row] = &[
    row("fail job",      "process classification-jobs",  "classifier", Consumer, MessageOf("send job")).over(Sqs).has(SQS).only(FAILED).fails().times(Count::SOME),
    row("fail to class", "classify order",               "classifier", Internal, ChildOf("fail job")).fails(),
    row("fail to embed", "embeddings <model>",           "classifier", Client,   ChildOf("fail to class")).fails(),
    row("model refuses", "POST",                         "classifier", Client,   ChildOf("fail to embed")).fails(),
];

/// What follows from the last attempt; those before it have none of this.
#[rustfmt::skip]
const GIVEN_UP: &[Row] = &[
    row("send letter",   "send classification-jobs-dlq", "classifier", Producer, ChildAndLinkOf("fail job")).has(LETTER).times(Count::OPTIONAL),
    row("report it",     "send order.classified",        "classifier", Producer, ChildOf("fail job")).has(PUBSUB).times(Count::OPTIONAL),
    row("hear of it",    "process order.classified",     "orders",     Consumer, MessageOf("report it")).over(PubSub).has(PUBSUB),
    row("it has failed", "UPDATE orders",                "orders",     Client,   ChildOf("hear of it")).has(SQL),
    row("send failed",   "send order.ended",             "orders",     Producer, ChildOf("hear of it")).over(Outbox).has(ORDER_ENDED),
    row("email failed",  "process order.ended",          "email",      Consumer, MessageOf("send failed")).over(Kafka).has(ORDER_ENDED),
    row("claim failed",  "INSERT emails",                "email",      Client,   ChildOf("email failed")).has(SQL),
    row("mail failed",   "send mail",                    "email",      Client,   ChildOf("email failed")).has(SMTP),
    row("failed sent",   "UPDATE emails",                "email",      Client,   ChildOf("email failed")).has(SQL).ends_the_story(),
    row("stock failed",  "process order.ended",          "inventory",  Consumer, MessageOf("send failed")).over(Kafka).has(ORDER_ENDED),
    row("stock stays",   "UPDATE reservations",          "inventory",  Client,   ChildOf("stock failed")).has(SQL).ends_the_story(),
];

#[rustfmt::skip]
const JOB_REDRIVEN: &[Row] = &[
    row("redrive",       "send classification-jobs",     "orderflow",  Producer, LinkOf("send letter")).has(SQS),
    row("take job",      "process classification-jobs",  "classifier", Consumer, MessageOf("redrive")).over(Sqs).has(SQS),
];

#[rustfmt::skip]
const ORDER_CLASSIFIED: &[Row] = &[
    row("classify",      "classify order",               "classifier", Internal, ChildOf("take job")),
    row("embed",         "embeddings <model>",           "classifier", Client,   ChildOf("classify")).has(EMBEDDINGS),
    row("ask model",     "POST",                         "classifier", Client,   ChildOf("embed")),
];

#[rustfmt::skip]
const STOCK_HELD: &[Row] = &[
    row("ask stock",     "POST",                         "classifier", Client,   ChildOf("classify")),
    row("hold",          "POST /holds",                  "inventory",  Server,   ChildOf("ask stock")).over(Http),
    row("take stock",    "UPDATE stock",                 "inventory",  Client,   ChildOf("hold")).has(SQL),
    row("look held",     "SELECT reservations",          "inventory",  Client,   ChildOf("hold")).has(SQL).times(Count::OPTIONAL).only_in_a_repeat(),
];

#[rustfmt::skip]
const STOCK_REFUSED: &[Row] = &[
    row("ask in vain",   "POST",                         "classifier", Client,   ChildOf("classify")).only(FAILED).fails(),
    row("refuse",        "POST /holds",                  "inventory",  Server,   ChildOf("ask in vain")).over(Http),
    row("try to take",   "UPDATE stock",                 "inventory",  Client,   ChildOf("refuse")).has(SQL),
    row("look why",      "SELECT stock",                 "inventory",  Client,   ChildOf("refuse")).has(SQL).times(Count::OPTIONAL),
];

#[rustfmt::skip]
const ORDER_DECIDED: &[Row] = &[
    row("send finding",  "send order.classified",        "classifier", Producer, ChildOf("classify")).has(PUBSUB),
    row("orders hears",  "process order.classified",     "orders",     Consumer, MessageOf("send finding")).over(PubSub).has(PUBSUB),
    row("decide",        "UPDATE orders",                "orders",     Client,   ChildOf("orders hears")).has(SQL),
    row("look order",    "SELECT orders",                "orders",     Client,   ChildOf("orders hears")).has(SQL).times(Count::OPTIONAL).only_in_a_repeat(),
    row("send ended",    "send order.ended",             "orders",     Producer, ChildOf("orders hears")).over(Outbox).has(ORDER_ENDED).once(),
    row("email hears",   "process order.ended",          "email",      Consumer, MessageOf("send ended")).over(Kafka).has(ORDER_ENDED),
    row("claim mail",    "INSERT emails",                "email",      Client,   ChildOf("email hears")).has(SQL).once(),
    row("send mail",     "send mail",                    "email",      Client,   ChildOf("email hears")).has(SMTP).once(),
    row("mail was sent", "UPDATE emails",                "email",      Client,   ChildOf("email hears")).has(SQL).ends_the_story().once(),
    row("stock hears",   "process order.ended",          "inventory",  Consumer, MessageOf("send ended")).over(Kafka).has(ORDER_ENDED),
    row("settle stock",  "UPDATE reservations",          "inventory",  Client,   ChildOf("stock hears")).has(SQL).ends_the_story().once(),
];

#[rustfmt::skip]
const PERSON_DECIDED: &[Row] = &[
    row("person",        "PATCH /orders/{id}/status",    "orders",     Server,   LinkOf("place")),
    row("decide too",    "UPDATE orders",                "orders",     Client,   ChildOf("person")).has(SQL),
    row("send the end",  "send order.ended",             "orders",     Producer, ChildOf("person")).over(Outbox).has(ORDER_ENDED),
    row("email too",     "process order.ended",          "email",      Consumer, MessageOf("send the end")).over(Kafka).has(ORDER_ENDED),
    row("claim another", "INSERT emails",                "email",      Client,   ChildOf("email too")).has(SQL).once(),
    row("send another",  "send mail",                    "email",      Client,   ChildOf("email too")).has(SMTP),
    row("was sent too",  "UPDATE emails",                "email",      Client,   ChildOf("email too")).has(SQL).ends_the_story(),
    row("stock too",     "process order.ended",          "inventory",  Consumer, MessageOf("send the end")).over(Kafka).has(ORDER_ENDED),
    row("keep stock",    "UPDATE reservations",          "inventory",  Client,   ChildOf("stock too")).has(SQL).ends_the_story(),
];
